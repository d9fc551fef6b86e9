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

export function createTabSignIn(options: { onChange: () => void }): TabSignIn {
  const { onChange } = options;
  let underWay: { state: string; puter: Puter } | undefined;
  let expiry: ReturnType<typeof setTimeout> | undefined;

  function become(next: typeof underWay): void {
    clearTimeout(expiry);
    underWay = next;
    if (next) expiry = setTimeout(become, validMs);
    onChange();
  }

  return {
    begin({ apiOrigin, guiOrigin }, callback) {
      const state = crypto.randomUUID();
      become({ state, puter: { apiOrigin, guiOrigin } });
      return { state, url: signInUrl(guiOrigin, callback, state) };
    },
    pending: () => underWay?.state ?? null,
    cancel: () => become(undefined),
    redeem(state) {
      if (underWay?.state !== state) return null;
      const { puter } = underWay;
      become(undefined);
      return puter;
    },
  };
}
