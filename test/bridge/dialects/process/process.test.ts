import { expect, it } from 'vitest';

import type { Chat, Chats } from '../../../../bridge/chat/chats.ts';
import { createProcessRoutes } from '../../../../bridge/dialects/process/process.ts';
import { HangUp } from '../../../../bridge/hang-up.ts';
import type { Exchange } from '../../../../bridge/http/route.ts';
import { noResults } from '../../chat/no-results.ts';
import { wholeAnswer } from '../../chat/whole-answer.ts';

const chat: Partial<Chat> = { id: 'a', whole: async () => ({ ...wholeAnswer('x'), durationMs: 1 }) };
const chats: Partial<Chats> = { begin: async () => chat as Chat };

it.each([
  [60_000, {}],
  [600_000, { wait: false }],
  [300, { timeout_ms: 300 }],
  [300, { timeout_ms: 300, wait: false }],
])('gives up after %i ms where it is asked %j', async (ms, how) => {
  const asked: number[] = [];
  const startTimer = (limit: number) => {
    asked.push(limit);
    return { stop() {} };
  };
  const [route] = createProcessRoutes({ chats: chats as Chats, results: noResults, startTimer });
  const exchange: Partial<Exchange> = {
    ...{ headers: {}, scope: 'x', revoked: null, hangUp: new HangUp(), setHeaders() {} },
    json: async () => ({ prompt: 'x', ...how }),
  };
  await route?.handle(exchange as Exchange);
  expect(asked).toEqual([ms]);
});
