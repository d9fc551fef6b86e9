import type { Failure } from '#shared/errors.ts';

/**
 * Where it is certain that no model was called, so that sending the request again costs nothing: how many seconds to wait
 * before that. Undefined: it may have been called.
 */
export function retryAfterSeconds({ code, upstream }: Failure): number | undefined {
  return code === 'upstream_failed' ? refusals.get(upstream?.code ?? '') : ours.get(code);
}

/** The same also where a person has to mend something first: a session that ended, an allowance that is used up. */
export const wasNeverAsked = (failure: Failure): boolean =>
  retryAfterSeconds(failure) !== undefined ||
  failure.code === 'puter_session_expired' ||
  (failure.code === 'upstream_failed' && failure.upstream?.code === 'insufficient_funds');

/**
 * A failure of a request that has begun, for which a model may have answered something: whatever is said of it, it is none
 * of those after which sending again costs nothing.
 */
export function onceBegun(failure: Failure): Failure {
  if (retryAfterSeconds(failure) === undefined) return failure;
  const { code, message, upstream } = failure;
  if (code !== 'upstream_failed' || !upstream) return { code: 'extension_failed', message: broken(code) };
  return { code, message, upstream: { message: upstream.message } };
}

const broken = (code: string): string =>
  `The request was begun and could not be brought to its end (${code}), so it may have been billed. Send it again if you still need the answer.`;

/** What the bridge says of its own queue: no extension can say so of a call that it has begun. */
export const isOurs = ({ code }: Failure): boolean => ours.has(code);

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
