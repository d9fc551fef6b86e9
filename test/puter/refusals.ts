/**
 * Every way Puter refuses a call, as one table: code → HTTP status and message. The bodies are flat. Those held by a
 * capture in wire/ are verbatim; the other messages were read in Puter's source (2026-08), not captured.
 */
const table = {
  bad_request: { status: 400, message: 'Bad request' },
  client_bad_json: { status: 400, message: 'Malformed JSON in request body' },
  upstream_provider_unavailable: {
    status: 400,
    message: 'AI provider unavailable',
    attempt: [500, '500 boom upstream'],
  },
  upstream_bad_request: { status: 400, message: '400 Invalid value', attempt: [400, '400 Invalid value'] },
  upstream_failed: { status: 400, message: 'All AI providers failed', attempt: [502, '502 Bad gateway'] },
  moderation_flagged: {
    status: 400,
    message: 'message is not allowed',
    fields: { code: 'bad_request', errorCode: 'moderation_flagged' },
  },
  token_missing: { status: 401, message: 'Missing authentication token' },
  token_auth_failed: { status: 401, message: 'Authentication failed' },
  reauth_required: { status: 401, message: 'Re-authentication required', fields: { reason: 'token_v1' } },
  insufficient_funds: { status: 402, message: 'No usage left for request.' },
  subscription_required: {
    status: 402,
    message: 'A subscription is required for this action',
    fields: { subscription: 'temp_free' },
  },
  forbidden: { status: 403, message: 'Prompt blocked by policy' },
  permission_denied: {
    status: 403,
    message: 'This model is only available to subscribers. Please subscribe to access this model.',
  },
  app_blocked: { status: 403, message: 'This app is not allowed to access Puter resources' },
  // Puter's source and puter.js both say "confirmation" for email and "verification" for the other two.
  email_confirmation_required: { status: 403, message: 'Please confirm your email to continue' },
  phone_verification_required: { status: 403, message: 'Please verify your phone number to continue' },
  card_verification_required: { status: 403, message: 'Please verify your card to continue' },
  account_is_not_verified: { status: 400, message: 'Account email is not verified' },
  not_found: { status: 404, message: 'Not Found' },
  too_many_requests: { status: 429, message: 'Too many requests.' },
  upstream_rate_limited: {
    status: 429,
    message: 'AI provider rate limit exceeded',
    attempt: [429, '429 Rate limit reached'],
  },
  upstream_auth_failed: {
    status: 500,
    message: 'AI provider authentication failed',
    attempt: [401, '401 Invalid API key'],
  },
  internal_error: { status: 500, message: 'Internal Server Error' },
} as const satisfies Record<string, Row>;

interface Row {
  status: number;
  message: string;
  fields?: Record<string, string>;
  /** What the provider behind Puter answered: status and message. */
  attempt?: readonly [status: number, error: string];
}

export type RefusalCode = keyof typeof table;
export const isRefusalCode = (text: string): text is RefusalCode => Object.hasOwn(table, text);
export const refusalCodes = Object.keys(table).filter(isRefusalCode);

export interface Refusal {
  status: number;
  body: { error: string; message: string; code: string; [field: string]: unknown };
}

/** What Puter answers instead of calling a model. `fields` replace or extend those the code always carries. */
export function refuse(code: RefusalCode, message?: string, fields?: Record<string, unknown>): Refusal {
  const row: Row = table[code];
  const sentence = message ?? row.message;
  return { status: row.status, body: { error: sentence, message: sentence, code, ...row.fields, ...fields } };
}

/** The same, for a call of `model`: failures of a provider also list what was attempted. */
export function refuseModel(code: RefusalCode, model: string): Refusal {
  const row: Row = table[code];
  if (!row.attempt) return refuse(code);
  const [status, error] = row.attempt;
  return refuse(code, undefined, { attempts: [{ model, provider: 'ollama', status, error }] });
}
