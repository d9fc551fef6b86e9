import { getEventListeners } from 'node:events';

import { expect, it } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { createAudience } from '../../../bridge/audience.ts';
import { HangUp } from '../../../bridge/hang-up.ts';
import type { Exchange } from '../../../bridge/http/route.ts';
import { createPageRoutes } from '../../../bridge/page/routes.ts';
import { createStatus } from '../status-example.ts';

it('a status that nobody follows any more is forgotten, however long the bridge goes on', () => {
  const audience = createAudience({ onChange() {} });
  const { signal: stopping } = new AbortController();
  const status = { read: () => createStatus(), watch: () => () => {}, changed() {} };
  const { signal: locked } = new AbortController();
  const routes = createPageRoutes({ status, audience, stopping, locked, pairing: () => null });
  const hangUp = new HangUp();
  let ends = 0;
  const events = { send() {}, sendRaw() {}, isFull: () => false, end: () => void (ends += 1) };
  const exchange: Partial<Exchange> = {
    headers: { accept: 'text/event-stream' },
    hangUp,
    startEvents: () => events,
    revoked: null,
  };
  const listeners = () => [stopping, locked].map((signal) => getEventListeners(signal, 'abort').length);

  void routes.find(({ path }) => path === '/api/status')?.handle(exchange as Exchange);
  expect([audience.watched(), listeners(), ends]).toEqual([true, [1, 1], 0]);
  hangUp.tell(new BridgeError('cancelled', 'The caller hung up.'));
  expect([audience.watched(), listeners(), ends]).toEqual([false, [0, 0], 1]);
});
