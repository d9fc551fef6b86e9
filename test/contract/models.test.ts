import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { ask } from '../browser/rig.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { startFakeExtension } from './fake-extension.ts';

/** What a bridge knows of Puter's models over its own life, asked over HTTP. */

async function makeFolder(): Promise<string> {
  const { dir, remove } = await createTemporaryFolder('models');
  onTestFinished(remove);
  return dir;
}

async function get(url: string, route = '/v1/models'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + route);
  return { status: response.status, body: await response.json() };
}

async function listThroughAnExtension(stateDir: string): Promise<unknown> {
  const bridge = await startTemporaryBridge({ stateDir });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  await expect.poll(() => get(bridge.url)).toMatchObject({ status: 200 });
  const { body } = await get(bridge.url);
  extension.close();
  await bridge.close();
  return body;
}

it('a bridge without an extension lists what the one before it knew', async () => {
  const stateDir = await makeFolder();
  const listed = await listThroughAnExtension(stateDir);
  const bridge = await startTemporaryBridge({ stateDir });
  onTestFinished(() => bridge.close());
  expect(await get(bridge.url)).toEqual({ status: 200, body: listed });
  expect(await get(bridge.url, '/v1/models/Claude-Echo')).toMatchObject({ status: 200, body: { id: 'anthropic' } });
  expect(await get(bridge.url, '/v1/models/eccho')).toMatchObject({
    status: 404,
    body: { error: { code: 'model_not_found', message: expect.stringMatching(/Did you mean echo\b.*\?$/) as string } },
  });
});

it('a bridge goes on listing when its extension is gone', async () => {
  const bridge = await startTemporaryBridge();
  onTestFinished(() => bridge.close());
  expect(await get(bridge.url)).toMatchObject({ status: 503, body: { error: { code: 'extension_not_connected' } } });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  await expect.poll(() => get(bridge.url)).toMatchObject({ status: 200 });
  const { body } = await get(bridge.url);
  extension.close();
  await expect.poll(() => bridge.status.read().extensions).toEqual([]);
  expect(await get(bridge.url)).toEqual({ status: 200, body });
});

it('a bridge that can keep nothing answers as any other, and says so once', async () => {
  const file = path.join(await makeFolder(), 'a-file');
  await writeFile(file, '');
  const unexpected: unknown[] = [];
  const bridge = await startTemporaryBridge({ stateDir: file }, (error) => unexpected.push(error));
  onTestFinished(() => bridge.close());
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  // The journal, and the list of models.
  const said = { message: expect.stringContaining(file) as string };
  await expect.poll(() => unexpected).toMatchObject([said, said]);
  expect(await get(bridge.url)).toMatchObject({ status: 200 });
  expect(await ask(bridge.url, { prompt: 'x' })).toMatchObject({ status: 200 });
  await extension.reconnect();
  await bridge.close();
  expect(unexpected).toHaveLength(2);
});
