import * as v from 'valibot';

/**
 * Everything that can go wrong, as one closed list: the compiler points at every table that maps codes
 * whenever a code is added here.
 */
export const errorCodes = [
  // what the caller sent
  'bad_http',
  'invalid_request_target',
  'token_in_query',
  'invalid_utf8',
  'json_too_deep',
  'invalid_json',
  'missing_parameter',
  'invalid_type',
  'invalid_value',
  'invalid_unicode',
  'image_url_not_allowed',
  'invalid_image',
  'invalid_request',
  'not_found',
  'method_not_allowed',
  'request_too_large',
  'unsupported_media_type',
  'model_not_found',
  // who asked
  'duplicate_header',
  'invalid_host',
  'host_not_allowed',
  'origin_not_allowed',
  'cross_site_request',
  'cors_not_enabled',
  'not_the_extension',
  'origin_required',
  'bad_upgrade',
  'too_many_pending',
  'missing_api_key',
  'invalid_api_key',
  'conflicting_credentials',
  'auth_rate_limited',
  'invalid_idempotency_key',
  'idempotency_key_reused',
  'idempotency_in_progress',
  // how many ask
  'queue_full',
  'client_queue_full',
  'queue_timeout',
  // what is missing between the caller and Puter
  'extension_not_connected',
  'puter_not_signed_in',
  'puter_session_expired',
  'paused',
  // how a call ended
  'upstream_failed',
  'extension_failed',
  'extension_disconnected',
  'not_acknowledged',
  'first_token_timeout',
  'answer_too_large',
  'unusable_answer',
  'already_answered',
  'result_not_stored',
  'cancelled',
  'timed_out',
  'shutting_down',
  'bridge_shutdown',
  'internal_error',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** What Puter itself said when it refused a call. `status` is its HTTP status where the browser saw one. */
export const upstreamErrorSchema = v.object({
  message: v.string(),
  code: v.exactOptional(v.string()),
  status: v.exactOptional(v.number()),
});

/** A failure as it crosses the wire: a code of the closed list and a sentence a person can act on. */
export const failureSchema = v.object({
  code: v.picklist(errorCodes),
  message: v.string(),
  /** The field of the caller's request that is wrong. */
  param: v.exactOptional(v.string()),
  upstream: v.exactOptional(upstreamErrorSchema),
  /** Names close to the one that was not found, best first. */
  suggestions: v.exactOptional(v.array(v.string())),
});

export type UpstreamError = v.InferOutput<typeof upstreamErrorSchema>;
export type Failure = v.InferOutput<typeof failureSchema>;

/** The one error class. What it carries beside the sentence is what a failure carries on the wire. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly failure: Failure;

  constructor(code: ErrorCode, message: string, details: Omit<Failure, 'code' | 'message'> & { cause?: unknown } = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.failure = { code, message, ...rest };
  }

  get code(): ErrorCode {
    return this.failure.code;
  }

  static from(failure: Failure): BridgeError {
    const { code, message, ...details } = failure;
    return new BridgeError(code, message, details);
  }
}
