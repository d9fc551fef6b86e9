import { BridgeError, type ErrorCode } from '#shared/errors.ts';

import { retryAfterSeconds } from '../lifecycle/never-started.ts';
import type { JsonReply } from './route.ts';

/** The HTTP status of each way to fail. */
const statuses = {
  bad_http: 400,
  invalid_request_target: 400,
  token_in_query: 400,
  invalid_utf8: 400,
  json_too_deep: 400,
  invalid_json: 400,
  missing_parameter: 400,
  invalid_type: 400,
  invalid_value: 400,
  invalid_unicode: 400,
  image_url_not_allowed: 400,
  invalid_image: 400,
  invalid_request: 400,
  not_found: 404,
  method_not_allowed: 405,
  request_too_large: 413,
  unsupported_media_type: 415,
  model_not_found: 404,
  duplicate_header: 400,
  invalid_host: 400,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  cross_site_request: 403,
  cors_not_enabled: 403,
  not_the_extension: 403,
  origin_required: 403,
  bad_upgrade: 400,
  too_many_pending: 503,
  invalid_idempotency_key: 400,
  idempotency_key_reused: 422,
  idempotency_in_progress: 409,
  queue_full: 429,
  client_queue_full: 429,
  queue_timeout: 503,
  missing_api_key: 401,
  invalid_api_key: 401,
  conflicting_credentials: 400,
  auth_rate_limited: 429,
  extension_not_connected: 503,
  puter_not_signed_in: 503,
  puter_session_expired: 503,
  paused: 503,
  upstream_failed: 502,
  extension_failed: 502,
  extension_disconnected: 502,
  not_acknowledged: 504,
  first_token_timeout: 504,
  answer_too_large: 502,
  // No 5xx: programs repeat those by themselves, and each time is two calls.
  unusable_answer: 422,
  already_answered: 409,
  result_not_stored: 410,
  // What nginx answers when nobody waits any more; only a later GET can see it.
  cancelled: 499,
  timed_out: 504,
  shutting_down: 503,
  bridge_shutdown: 502,
  internal_error: 500,
} as const satisfies Record<ErrorCode, number>;

/** Anything thrown, as the error a caller may see. What we did not expect stays out of the answer. */
export function toBridgeError(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  return new BridgeError('internal_error', 'Something went wrong inside the bridge. Its log says what.', {
    cause: error,
  });
}

/** An error in the shape of `/api/*`. */
export function errorReply(error: unknown, requestId: string | null = null): JsonReply {
  const known = toBridgeError(error);
  const { code, message, ...details } = known.failure;
  return {
    status: statuses[code],
    body: { status: 'error', error: message, code, ...details, request_id: requestId },
    headers: retryHeaders(known),
  };
}

/** Whether to send the request again: official clients of OpenAI's obey, and would pay twice otherwise. */
export function retryHeaders({ failure }: BridgeError): Readonly<Record<string, string>> {
  const seconds = retryAfterSeconds(failure);
  return {
    'x-should-retry': String(seconds !== undefined),
    ...(seconds !== undefined && { 'Retry-After': `${seconds}` }),
  };
}

/** What HTTP wants beside a refusal: how to show a key, or when to come back with a right one. */
export function keyHeaders({ code }: BridgeError): Readonly<Record<string, string>> {
  if (code === 'auth_rate_limited') return { 'Retry-After': '10' };
  const isAboutKey = code === 'missing_api_key' || code === 'invalid_api_key';
  return isAboutKey ? { 'WWW-Authenticate': 'Bearer realm="puter-bridge"' } : {};
}
