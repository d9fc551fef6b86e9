import { BridgeError } from '#shared/errors.ts';

import type { Chats } from '../../chat/chats.ts';
import { collect } from '../../chat/collect.ts';
import { parseBody } from '../../http/body.ts';
import { readCaller } from '../../http/caller.ts';
import { errorReply } from '../../http/reply.ts';
import type { Reply, Route } from '../../http/route.ts';
import type { Result, Results } from '../../lifecycle/results.ts';
import { requestSchema, toChatRequest } from './request.ts';

/** The bridge's own dialect: one prompt in, one text out, now or fetched later. */
export function createProcessRoutes(options: {
  chats: Chats;
  results: Results;
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
}): Route[] {
  const { chats, results, now } = options;

  return [
    {
      method: 'POST',
      path: '/api/process',
      fromExtension: true,
      fromAllowedOrigins: true,
      async handle(exchange) {
        const body = parseBody(requestSchema, await exchange.json());
        const deadline = new AbortController();
        const signal = body.wait ? AbortSignal.any([exchange.hangUp, deadline.signal]) : deadline.signal;
        const startedAt = now();
        const chat = await chats.begin(toChatRequest(body), signal, readCaller(exchange.headers));
        const { requestId } = chat;
        const timer = setTimeout(() => deadline.abort(timedOut(body.timeout_ms)), body.timeout_ms);
        const answer = collect(chat.events).then(({ text, finishReason, model, usage }) => {
          return { text, finishReason, model, usage, durationMs: Math.round(now() - startedAt) };
        });
        const settled = results.track(requestId, answer).finally(() => clearTimeout(timer));
        return toReply(requestId, body.wait ? await settled : { status: 'pending' });
      },
    },
    {
      method: 'GET',
      path: '/api/result/:requestId',
      fromAllowedOrigins: true,
      handle({ params }) {
        const requestId = params['requestId'] ?? '';
        const result = results.get(requestId);
        if (result) return toReply(requestId, result);
        throw new BridgeError(
          'not_found',
          'No request has this id. Results are kept for 24 hours and lost on a restart.',
        );
      },
    },
  ];
}

const timedOut = (timeoutMs: number) =>
  new BridgeError(
    'timed_out',
    `No whole answer came within ${timeoutMs} ms, so the call was cancelled. Raise timeout_ms, or send "wait": false and fetch the result later.`,
  );

function toReply(requestId: string, result: Result): Reply {
  switch (result.status) {
    case 'pending':
      return { status: 202, body: { status: 'pending', request_id: requestId } };
    case 'error':
      return errorReply(result.error, requestId);
    case 'success': {
      const { text, model, usage, durationMs } = result.answer;
      return {
        status: 200,
        body: {
          status: 'success',
          result: text,
          request_id: requestId,
          // Where nobody named one, Puter chose, and its streams do not say which.
          model: model ?? 'default',
          usage: usage && {
            input_tokens: usage.inputTokens,
            output_tokens: usage.outputTokens,
            ...(usage.isEstimated && { estimated: true }),
          },
          duration_ms: durationMs,
        },
      };
    }
  }
}
