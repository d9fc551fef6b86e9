import { BridgeError } from '#shared/errors.ts';

import { errorReply } from '../../http/reply.ts';
import type { Reply } from '../../http/route.ts';
import type { Result } from '../../journal/results.ts';
import { toToolCall } from '../to-tool-call.ts';

/** A result as `/api/process` and `/api/result/<id>` answer it. */
export function describeResult(requestId: string, result: Result | undefined): Reply {
  switch (result?.status) {
    case undefined:
      throw new BridgeError(
        'not_found',
        'No request has this id, or none has any more: results are kept for a while only.',
      );
    case 'pending':
      return {
        status: 202,
        // Its call went out before the bridge was started anew, and its extension is not back yet.
        body: { status: 'pending', request_id: requestId, ...(result.isUnknown && { state: 'unknown' }) },
      };
    case 'error':
      return errorReply(result.error, requestId);
    case 'success': {
      const { text, toolCalls, refusal, model, usage, durationMs } = result.answer;
      return {
        status: 200,
        body: {
          status: 'success',
          result: text,
          // Asked for at /v1 alone, and fetched here like any other answer.
          ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(toToolCall) }),
          ...(refusal !== null && { refusal }),
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
