import { signInUrl } from './sign-in.ts';

/**
 * Signing in where the browser has no window of its own for it, or where that window cannot show Puter's page: in a
 * tab, from which Puter returns to the bridge, which hands the token on and forgets it.
 */
export interface TabSignIn {
  /** One at a time: a newer one makes the older void. */
  begin(options: { apiOrigin: string; guiOrigin: string; callback: string }): { state: string; url: string };
  /** The API origin that the token belongs to; null for an answer that nobody waits for. */
  redeem(state: string): string | null;
}

const validMs = 5 * 60_000;

export function createTabSignIn(options: { now: () => number }): TabSignIn {
  const { now } = options;
  let pending: { state: string; apiOrigin: string; until: number } | undefined;
  return {
    begin({ apiOrigin, guiOrigin, callback }) {
      const state = crypto.randomUUID();
      pending = { state, apiOrigin, until: now() + validMs };
      return { state, url: signInUrl(guiOrigin, callback, state) };
    },
    redeem(state) {
      if (!pending || pending.state !== state) return null;
      const { apiOrigin, until } = pending;
      pending = undefined;
      return now() < until ? apiOrigin : null;
    },
  };
}
