import type { BridgeError, ErrorCode } from '#shared/errors.ts';

import { retryHeaders } from '../../http/reply.ts';
import type { JsonReply } from '../../http/route.ts';

/** How a failure looks to a client of OpenAI's: its official ones repeat 408, 409, 429 and 5xx unless told otherwise. */
interface Shape {
  status: number;
  type: string;
  code: string | null;
}

const wrong = (status: number, code: string | null = null): Shape => ({ status, type: 'invalid_request_error', code });
const denied = (status: number, code: string): Shape => ({ status, type: 'permission_error', code });
const broken = (status: number, code: string): Shape => ({ status, type: 'server_error', code });
const unknown = (code: string): Shape => ({ status: 401, type: 'authentication_error', code });
const limited = (code: string): Shape => ({ status: 429, type: 'rate_limit_error', code });

const byCode = {
  bad_http: wrong(400, 'bad_http'),
  invalid_request_target: wrong(400, 'invalid_request_target'),
  token_in_query: wrong(400, 'token_in_query'),
  invalid_utf8: wrong(400, 'invalid_utf8'),
  json_too_deep: wrong(400, 'json_too_deep'),
  invalid_json: wrong(400),
  missing_parameter: wrong(400, 'missing_parameter'),
  invalid_type: wrong(400, 'invalid_type'),
  invalid_value: wrong(400, 'invalid_value'),
  invalid_unicode: wrong(400, 'invalid_unicode'),
  image_url_not_allowed: wrong(400, 'image_url_not_allowed'),
  invalid_image: wrong(400, 'invalid_image'),
  invalid_request: wrong(400),
  not_found: wrong(404, 'not_found'),
  method_not_allowed: wrong(405, 'method_not_allowed'),
  request_too_large: wrong(413, 'request_too_large'),
  unsupported_media_type: wrong(415, 'unsupported_media_type'),
  model_not_found: wrong(404, 'model_not_found'),
  duplicate_header: wrong(400, 'duplicate_header'),
  invalid_host: wrong(400, 'invalid_host'),
  host_not_allowed: denied(403, 'host_not_allowed'),
  origin_not_allowed: denied(403, 'origin_not_allowed'),
  cross_site_request: denied(403, 'cross_site_request'),
  cors_not_enabled: denied(403, 'cors_not_enabled'),
  not_the_extension: denied(403, 'not_the_extension'),
  origin_required: denied(403, 'origin_required'),
  bad_upgrade: wrong(400, 'bad_upgrade'),
  too_many_pending: broken(503, 'too_many_pending'),
  invalid_idempotency_key: wrong(400, 'invalid_idempotency_key'),
  idempotency_key_reused: wrong(422, 'idempotency_key_reused'),
  idempotency_in_progress: wrong(409, 'idempotency_in_progress'),
  queue_full: limited('queue_full'),
  client_queue_full: limited('client_queue_full'),
  queue_timeout: broken(503, 'queue_timeout'),
  missing_api_key: unknown('missing_api_key'),
  invalid_api_key: unknown('invalid_api_key'),
  conflicting_credentials: wrong(400, 'conflicting_credentials'),
  auth_rate_limited: limited('auth_rate_limited'),
  extension_not_connected: broken(503, 'extension_not_connected'),
  puter_not_signed_in: unknown('puter_not_signed_in'),
  puter_session_expired: unknown('puter_session_expired'),
  paused: broken(503, 'paused'),
  upstream_failed: broken(502, 'upstream_failed'),
  extension_failed: broken(502, 'extension_failed'),
  extension_disconnected: broken(502, 'extension_disconnected'),
  not_acknowledged: broken(504, 'not_acknowledged'),
  first_token_timeout: broken(504, 'first_token_timeout'),
  answer_too_large: broken(502, 'answer_too_large'),
  // Nobody repeats it by himself: that would be two more calls.
  unusable_answer: wrong(422, 'unusable_answer'),
  already_answered: wrong(409, 'already_answered'),
  result_not_stored: wrong(410, 'result_not_stored'),
  cancelled: wrong(499, 'cancelled'),
  timed_out: broken(504, 'timed_out'),
  shutting_down: broken(503, 'shutting_down'),
  bridge_shutdown: broken(502, 'bridge_shutdown'),
  internal_error: broken(500, 'internal_error'),
} as const satisfies Record<ErrorCode, Shape>;

/** What Puter itself refused with. Where it refused, no model was called. */
const byUpstreamCode = new Map<string, Shape>([
  ['bad_request', wrong(400, 'bad_request')],
  ['upstream_bad_request', wrong(400, 'upstream_bad_request')],
  ['moderation_flagged', wrong(400, 'content_policy_violation')],
  ['insufficient_funds', { status: 402, type: 'insufficient_quota', code: 'insufficient_quota' }],
  ['subscription_required', denied(403, 'subscription_required')],
  ['forbidden', denied(403, 'forbidden')],
  ['permission_denied', denied(403, 'permission_denied')],
  ['app_blocked', denied(403, 'app_blocked')],
  ['email_confirmation_required', denied(403, 'email_confirmation_required')],
  ['phone_verification_required', denied(403, 'phone_verification_required')],
  ['card_verification_required', denied(403, 'card_verification_required')],
  ['account_is_not_verified', denied(403, 'account_is_not_verified')],
  ['not_found', wrong(404, 'not_found')],
  ['client_bad_json', broken(502, 'client_bad_json')],
  ['upstream_provider_unavailable', broken(502, 'upstream_provider_unavailable')],
  ['upstream_auth_failed', broken(502, 'upstream_auth_failed')],
  ['upstream_failed', broken(502, 'upstream_failed')],
  ['internal_error', broken(502, 'puter_internal_error')],
  ['too_many_requests', limited('rate_limit_exceeded')],
  ['upstream_rate_limited', limited('upstream_rate_limited')],
]);

function shapeOf({ code, failure }: BridgeError): Shape {
  const upstream = code === 'upstream_failed' ? byUpstreamCode.get(failure.upstream?.code ?? '') : undefined;
  return upstream ?? byCode[code];
}

/** The body of a failure, as an answer has it and as the last event of a broken stream. */
export function errorBody(error: BridgeError): { error: object } {
  const { type, code } = shapeOf(error);
  const { message, param = null } = error.failure;
  return { error: { message, type, param, code } };
}

export const reportError = (error: BridgeError): JsonReply & { headers: Readonly<Record<string, string>> } => ({
  status: shapeOf(error).status,
  body: errorBody(error),
  headers: retryHeaders(error),
});
