import { expect, it, onTestFinished } from 'vitest';

import type { Frame, FrameToExtension } from '#shared/protocol.ts';

import { createTemporaryFolder } from '../../temporary-folder.ts';
import { greet } from '../connection/connections-rig.ts';
import { asLeft } from '../journal/as-left.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import { ask, chat, postTo } from './chats-rig.ts';

it('N10 a call whose text ended at a stop is ended once that is on disk, and not before', async () => {
  const { dir: stateDir, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  const bridge = await startTemporaryBridge({ stateDir });
  onTestFinished(() => bridge.close());
  const extension = await greet(bridge.url);
  await extension.next();
  const answer = postTo(bridge)(chat, { ...ask('x'), stop: ['END'] });
  const { requestId } = (await extension.next()) as Frame<FrameToExtension, 'request'>;
  extension.send({ type: 'started', requestId });
  extension.send({ type: 'chunk', requestId, seq: 0, parts: [{ type: 'text', text: 'one END two' }] });
  expect(await extension.next()).toEqual({ type: 'cancel', requestId });
  expect(asLeft(stateDir, (journal) => journal.find(requestId))).toMatchObject({ status: 'success' });
  expect(await (await answer).json()).toMatchObject({ choices: [{ message: { content: 'one ' } }] });
});
