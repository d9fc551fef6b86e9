import type { Failure } from '#shared/errors.ts';

import type { Log } from '../log/log.ts';
import { redact } from '../log/redact.ts';

/** No sentence is longer, and nothing longer is looked through. */
const maxChars = 4000;

/** Where code of ours or of a page stood when it failed, as Chrome and Firefox write it. */
const place = /^\s+at .*:\d+:\d+|(?:@\S+|\.[mc]?[jt]sx?):\d+:\d+|\b(?:chrome|moz)-extension:\/\//m;

/**
 * What an extension says of a failure is shown to callers, and most of it is Puter's own sentence. Where it holds a
 * stack, a cookie or a token, callers get a fixed sentence with the same code; the rest, redacted, is for the debug log.
 */
export function keepBack(failure: Failure, log: Pick<Log, 'debug'>): Failure {
  const { code, upstream } = failure;
  const text = [failure.message, failure.param, upstream?.code, upstream?.message, ...(failure.suggestions ?? [])]
    .filter((part) => part !== undefined)
    .join('\n');
  if (text.length <= maxChars && !place.test(text) && redact(text) === text) return failure;
  log.debug({ code, text: redact(text.slice(0, maxChars)) }, 'kept back from the caller');
  const message =
    'The call failed, and what the extension says of it is not for every program to read. Start the bridge with --log-level debug to see it.';
  if (!upstream) return { code, message };
  const { status, code: upstreamCode = '' } = upstream;
  return {
    code,
    message,
    upstream: {
      message,
      ...(/^[a-z_]{1,64}$/.test(upstreamCode) && { code: upstreamCode }),
      ...(status !== undefined && { status }),
    },
  };
}
