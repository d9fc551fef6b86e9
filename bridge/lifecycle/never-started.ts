import type { Failure } from '#shared/errors.ts';

/**
 * Where it is certain that no model was called, so that sending the request again costs nothing: how many seconds to wait
 * before that. Undefined: it may have been called.
 */
export function retryAfterSeconds({ code, upstream }: Failure): number | undefined {
  return code === 'upstream_failed' ? refusals.get(upstream?.code ?? '') : ours.get(code);
}

const ours = new Map<string, number>([
  ['extension_not_connected', 2],
  ['queue_full', 5],
  ['client_queue_full', 5],
  ['queue_timeout', 5],
  ['idempotency_in_progress', 2],
  ['shutting_down', 5],
]);

/** Puter refuses these before it asks a provider, or its provider did. */
const refusals = new Map<string, number>([
  ['too_many_requests', 10],
  ['upstream_rate_limited', 20],
]);
