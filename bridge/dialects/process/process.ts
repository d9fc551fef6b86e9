import { BridgeError } from '#shared/errors.ts';

import type { Chat, Chats } from '../../chat/chats.ts';
import { Ending } from '../../chat/ending.ts';
import { parseBody } from '../../http/body.ts';
import { readCaller } from '../../http/caller.ts';
import { toBridgeError } from '../../http/reply.ts';
import type { Reply, Route } from '../../http/route.ts';
import { withoutPrefix } from '../../id-prefix.ts';
import type { Result, Results } from '../../journal/results.ts';
import type { StartTimer } from '../../timers.ts';
import { describeResult } from './describe-result.ts';
import { requestSchema, timeoutOf, toChatRequest } from './request.ts';

/** The bridge's own dialect: one prompt in, one text out, now or fetched later. */
export function createProcessRoutes(options: { chats: Chats; results: Results; startTimer: StartTimer }): Route[] {
  const { chats, results, startTimer } = options;

  return [
    {
      method: 'POST',
      path: '/api/process',
      fromExtension: 'known',
      fromAllowedOrigins: true,
      async handle(exchange): Promise<Reply> {
        const body = parseBody(requestSchema, await exchange.json());
        if (!body.wait && !results.keepsAnswers) throw nothingToFetch();
        const chat = await chats.begin(toChatRequest(body), {
          hangUp: body.wait ? exchange.hangUp : null,
          caller: readCaller(exchange, body),
        });
        exchange.setHeaders({ 'x-request-id': chat.id, ...(chat.isReplay && { 'Idempotency-Replayed': 'true' }) });
        const ending = new Ending({ startTimer, timeoutMs: timeoutOf(body), timedOut, revoked: exchange.revoked });
        ending.add(chat);
        const result = resultOf(chat, ending);
        // Whoever is told to come back later finds it, whatever happens to the bridge meanwhile.
        if (!body.wait) await results.settled();
        return describeResult(chat.id, body.wait ? await result : { status: 'pending', isUnknown: false });
      },
    },
    {
      method: 'GET',
      path: '/api/result/:requestId',
      fromAllowedOrigins: true,
      async handle(exchange) {
        const requestId = withoutPrefix(exchange.param('requestId'));
        return describeResult(requestId, await results.read(requestId, exchange.scope));
      },
    },
  ];
}

async function resultOf(chat: Chat, ending: Ending): Promise<Result> {
  try {
    return { status: 'success', answer: await chat.whole() };
  } catch (error) {
    return { status: 'error', error: toBridgeError(error) };
  } finally {
    ending.release();
  }
}

const nothingToFetch = () =>
  new BridgeError(
    'invalid_value',
    'This bridge keeps no answers (--keep-results 0), so that none could be fetched later. Leave “wait” out.',
    { param: 'wait' },
  );
const timedOut = (timeoutMs: number) =>
  new BridgeError(
    'timed_out',
    `No whole answer came within ${timeoutMs} ms, so the call was cancelled. Raise timeout_ms, or leave it out, send "wait": false and fetch the result later.`,
  );
