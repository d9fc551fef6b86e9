import * as v from 'valibot';

import { BridgeError, type Failure, type UpstreamError } from '#shared/errors.ts';

/**
 * The ways in which `puter.ai.chat()` rejects: Puter's flat `{error, message, code}`, the same nested under
 * `error`, or the bare XMLHttpRequest where the network failed.
 */
const flatSchema = v.object({
  message: v.string(),
  // Providers put numbers and nulls here, too.
  code: v.nullish(v.union([v.string(), v.number()])),
  // Says more where it is there: that the prompt was moderated, for one.
  errorCode: v.nullish(v.string()),
  status: v.optional(v.number()),
});
const nestedSchema = v.object({ error: flatSchema });

/** Puter does not accept the token (any more). */
const sessionCodes = new Set(['token_missing', 'token_auth_failed', 'reauth_required']);

const envelopeSchema = v.looseObject({ success: v.literal(true), result: v.unknown() });

/** The answer in what `puter.drivers.call()` resolves with. Throws a refusal: that one resolves, too. */
export function unwrapEnvelope(reply: unknown): unknown {
  const parsed = v.safeParse(envelopeSchema, reply);
  if (parsed.success) return parsed.output.result;
  throw reply;
}

/** Anything that a call rejects with, as one of our closed list of codes. */
export function toFailure(error: unknown): Failure {
  if (error instanceof BridgeError) return error.failure;
  // Puter's refusals are plain objects: an `Error` is our own, or puter.js's, where it got no answer that it can read.
  if (error instanceof Error && !isNoAnswer(error)) {
    return { code: 'extension_failed', message: `The extension failed while it called Puter: ${error.message}` };
  }
  const upstream = error instanceof Error ? undefined : toUpstream(error);
  if (!upstream) {
    return {
      code: 'upstream_failed',
      message:
        'Puter could not be reached from the browser, or broke off before an answer began. Check the network and try again.',
    };
  }
  if (upstream.status === 401 || (upstream.code !== undefined && sessionCodes.has(upstream.code))) {
    const message =
      'Puter no longer accepts the session. Click the Puter Bridge icon in the browser and sign in again.';
    return { code: 'puter_session_expired', message, upstream };
  }
  if (/^Model not found\b/i.test(upstream.message)) {
    return { code: 'model_not_found', message: 'Puter has no model of that name.', param: 'model', upstream };
  }
  return { code: 'upstream_failed', message: `Puter refused the call: ${upstream.message}`, upstream };
}

/**
 * `puter.drivers.call()` throws where the network failed or a gateway sent its own page; `puter.ai.chat()` rejects with
 * the bare XMLHttpRequest, or with that page.
 */
const isNoAnswer = (error: Error): boolean =>
  error instanceof SyntaxError || /^(Network request to |unrecognized content type)/.test(error.message);

/** Undefined where nothing came from Puter at all. */
function toUpstream(error: unknown): UpstreamError | undefined {
  const nested = v.safeParse(nestedSchema, error);
  const flat = v.safeParse(flatSchema, nested.success ? nested.output.error : error);
  if (!flat.success) return undefined;
  const { message, status } = flat.output;
  const code = flat.output.errorCode ?? flat.output.code;
  return {
    // A provider's message can hold a whole page of HTML.
    message: message.slice(0, 500),
    ...(code !== undefined && code !== null && { code: String(code) }),
    ...(status !== undefined && { status }),
  };
}
