import { BridgeError } from '#shared/errors.ts';

import { parseBody } from '../../http/body.ts';
import { readCaller } from '../../http/caller.ts';
import { errorReply } from '../../http/reply.ts';
import type { Reply, Route } from '../../http/route.ts';
import { collect } from '../../lifecycle/collect.ts';
import type { Dispatcher } from '../../lifecycle/dispatcher.ts';
import type { Result, Results } from '../../lifecycle/results.ts';
import { requestSchema, toChatRequest } from './request.ts';

/** The bridge's own dialect: one prompt in, one text out, now or fetched later. */
export function createProcessRoutes(options: {
  dispatcher: Dispatcher;
  results: Results;
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
}): Route[] {
  const { dispatcher, results, now } = options;

  return [
    {
      method: 'POST',
      path: '/api/process',
      fromExtension: true,
      async handle(exchange) {
        const body = parseBody(requestSchema, await exchange.json());
        const deadline = new AbortController();
        const timer = setTimeout(() => deadline.abort(timedOut(body.timeout_ms)), body.timeout_ms);
        const signal = body.wait ? AbortSignal.any([exchange.hangUp, deadline.signal]) : deadline.signal;
        const { requestId, events } = dispatcher.submit(toChatRequest(body), signal, readCaller(exchange.headers));
        const settled = results.track(requestId, collect(events, now)).finally(() => clearTimeout(timer));
        return toReply(requestId, body.wait ? await settled : { status: 'pending' });
      },
    },
    {
      method: 'GET',
      path: '/api/result/:requestId',
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
          usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
          duration_ms: durationMs,
        },
      };
    }
  }
}
