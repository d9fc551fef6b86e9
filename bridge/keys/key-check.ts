import type { IncomingMessage } from 'node:http';

import { BridgeError } from '#shared/errors.ts';

import { commandName } from '../command-name.ts';
import { scopeOf } from '../http/caller.ts';
import type { KeyRing } from './key-ring.ts';

/** What is known of a caller before anything of its request is read. */
export interface Pass {
  /** Whose requests count together: a key's, else those of one program at one address. */
  scope: string;
  /** Why it may not have what needs a key; null where it may. */
  problem: BridgeError | null;
  /** Aborts when the key is revoked that let it in; null where none did. */
  revoked: AbortSignal | null;
}

export type KeyCheck = (request: IncomingMessage) => Pass;

/** Everybody may call: how it is until there is a first key. */
export const withoutKeys: KeyCheck = (request) => ({ scope: scopeOf(request), problem: null, revoked: null });

/** So many wrong keys within this time are told that they are wrong; more only cost time. */
const [maxWrong, windowMs] = [30, 10_000];

/** Looks for the one key that `Authorization: Bearer` or `x-api-key` may hold. */
export function createKeyCheck(ring: KeyRing, options: { now: () => number }): KeyCheck {
  const { now } = options;
  let windowStart = -Infinity;
  let wrong = 0;

  /** Only wrong keys are counted: whoever guesses cannot lock out whoever knows. */
  function refuseWrong(): BridgeError {
    if (now() - windowStart >= windowMs) [windowStart, wrong] = [now(), 0];
    wrong += 1;
    return wrong > maxWrong
      ? new BridgeError('auth_rate_limited', 'Too many wrong keys came in the last seconds. Send a right one.')
      : new BridgeError('invalid_api_key', `The bridge has no such key. “${commandName} key list” names those it has.`);
  }

  return (request) => {
    if (!ring.isLocked) return withoutKeys(request);
    const refuse = (problem: BridgeError): Pass => ({ scope: scopeOf(request), problem, revoked: null });
    try {
      const given = readKey(request);
      const key = ring.find(given);
      return key ? { scope: scopeOf(request, key), problem: null, revoked: key.revoked } : refuse(refuseWrong());
    } catch (error) {
      if (error instanceof BridgeError) return refuse(error);
      throw error;
    }
  };
}

function readKey({ headers }: IncomingMessage): string {
  // Neither came twice (http/guards.ts).
  const { authorization = '', 'x-api-key': given } = headers;
  const apiKey = typeof given === 'string' ? given : undefined;
  const bearer = /^bearer +(.*)$/is.exec(authorization)?.[1];
  if (bearer && apiKey && bearer !== apiKey) {
    throw new BridgeError('conflicting_credentials', 'Authorization and x-api-key hold different keys. Send one.');
  }
  const key = bearer || apiKey;
  if (key) return key;
  throw new BridgeError(
    'missing_api_key',
    `Send a key as “Authorization: Bearer …”; “${commandName} key create NAME” makes one.`,
  );
}
