import { signInUrl } from './sign-in.ts';

/**
 * Signing in where the browser has no window of its own for it, or where that window cannot show Puter's page: in a
 * tab, from which Puter returns to the bridge, which hands the token on and forgets it.
 */
export interface TabSignIn {
  /** One at a time: a newer one makes the older void. */
  begin(puter: Puter, callback: string): { state: string; url: string };
  /** The state of the one that is under way. */
  pending(): string | null;
  /** The one that is under way is void. */
  cancel(): void;
  /** The Puter that the token belongs to; null for an answer that nobody waits for. */
  redeem(state: string): Puter | null;
}

interface Puter {
  apiOrigin: string;
  guiOrigin: string;
}

const validMs = 5 * 60_000;

export function createTabSignIn(options: { now: () => number }): TabSignIn {
  const { now } = options;
  let underWay: { state: string; puter: Puter; until: number } | undefined;

  const current = () => (underWay && now() < underWay.until ? underWay : undefined);

  return {
    begin({ apiOrigin, guiOrigin }, callback) {
      const state = crypto.randomUUID();
      underWay = { state, puter: { apiOrigin, guiOrigin }, until: now() + validMs };
      return { state, url: signInUrl(guiOrigin, callback, state) };
    },
    pending: () => current()?.state ?? null,
    cancel: () => void (underWay = undefined),
    redeem(state) {
      const signIn = current();
      if (signIn?.state !== state) return null;
      underWay = undefined;
      return signIn.puter;
    },
  };
}
