import type { IncomingHttpHeaders } from 'node:http';

import { BridgeError } from '#shared/errors.ts';

/**
 * The caller's Idempotency-Key, plain or in quotes as the draft has it; null where it sent none. Throws
 * `invalid_idempotency_key`.
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | null {
  const given = headers['idempotency-key'];
  if (given === undefined) return null;
  const key = typeof given === 'string' ? given.replace(/^"(.*)"$/, '$1') : '';
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new BridgeError('invalid_idempotency_key', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
}

/** OpenAI's clients count how often they sent a request again by themselves. */
export const readRepetition = (headers: IncomingHttpHeaders): number =>
  Math.max(0, Number(headers['x-stainless-retry-count']) || 0);
