import * as v from 'valibot';

import type { Failure } from '#shared/errors.ts';
import type { PuterState } from '#shared/protocol.ts';

/** The person's account at Puter as far as it is known, from Puter's own answers only. */
export interface Account {
  state(): PuterState;
  /** Takes what a call told: that Puter was reached, or refused the token, or was not reached. */
  learn(failure: Failure | null): void;
  close(): void;
}

const userSchema = v.object({ username: v.string() });
const retryMs = 3000;
const timeoutMs = 10_000;

/** Asks Puter at once who the token belongs to, and again every few seconds only while Puter cannot be reached. */
export function startAccount(options: {
  session: { token: string; apiOrigin: string } | null;
  onChange: () => void;
}): Account {
  const { session, onChange } = options;
  const stop = new AbortController();
  let state: PuterState = { session: session ? 'signed_in' : 'signed_out', username: null, reachable: null };
  let retry: ReturnType<typeof setTimeout> | undefined;

  function become(change: Partial<PuterState>): void {
    const before = state;
    state = { ...state, ...change };
    clearTimeout(retry);
    if (state.reachable === false) retry = setTimeout(() => void check(), retryMs);
    if (Object.keys(change).some((key) => before[key as keyof PuterState] !== state[key as keyof PuterState]))
      onChange();
  }

  async function check(): Promise<void> {
    if (!session || state.session === 'expired') return;
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const headers = { Authorization: `Bearer ${session.token}` };
      const response = await fetch(`${session.apiOrigin}/whoami`, { headers, signal, cache: 'no-store' });
      if (response.status === 401) return become({ session: 'expired', reachable: true });
      const user = v.safeParse(userSchema, await response.json().catch(() => null));
      become({ reachable: true, ...(user.success && { username: user.output.username.slice(0, 100) }) });
    } catch {
      if (!stop.signal.aborted) become({ reachable: false });
    }
  }

  void check();
  return {
    state: () => state,
    learn(failure) {
      if (stop.signal.aborted) return;
      if (!failure) become({ reachable: true, session: 'signed_in' });
      else if (failure.upstream) become({ reachable: true });
      else if (failure.code === 'upstream_failed') void check();
      if (failure?.code === 'puter_not_signed_in' && failure.upstream) become({ session: 'expired' });
    },
    close() {
      stop.abort();
      clearTimeout(retry);
    },
  };
}
