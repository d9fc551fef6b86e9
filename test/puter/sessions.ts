import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { type Refusal, refuse } from './refusals.ts';

export interface Sessions {
  mint: () => string;
  revoke: (token: string) => void;
  /** Ends every session so far. */
  expire: () => void;
  /** Why this token is refused, or null where it is good. */
  refusal: (token: string | null) => Refusal | null;
}

/** The tokens this stand-in gave out, and what became of them. */
export function createSessions(): Sessions {
  const states = new Map<string, 'good' | 'revoked' | 'expired'>();
  return {
    mint() {
      const token = `stand-in.${randomUUID()}`;
      states.set(token, 'good');
      return token;
    },
    revoke(token) {
      states.set(token, 'revoked');
    },
    expire() {
      for (const token of states.keys()) states.set(token, 'expired');
    },
    refusal(token) {
      if (token === null) return refuse('token_missing');
      const state = states.get(token);
      if (state === 'good') return null;
      if (state === 'revoked') return refuse('token_auth_failed');
      // Puter has more reasons than `token_v1`, the captured one of an unknown token; the name of this one is ours.
      return refuse('reauth_required', undefined, state === 'expired' ? { reason: 'session_expired' } : {});
    },
  };
}

/** Where Puter looks for a token outside the body of a driver call, in its order. Its session cookie is left out. */
export function tokenOf(req: IncomingMessage, url: URL): string | null {
  const bearer = /^Bearer\s+(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return bearer ?? url.searchParams.get('auth_token');
}
