import * as v from 'valibot';

import type { Failure } from '#shared/errors.ts';

import { fetchAllowance } from './allowance.ts';
import { createStanding, isOver, learn, userSchema, type Standing, type StandingEvent } from './standing.ts';

/** The person's account at Puter as far as it is known, from Puter's own answers only. */
export interface Account {
  standing(): Standing;
  /** Takes what a call told: an answer (null), a refusal, or that Puter was not reached. */
  learn(failure: Failure | null): void;
  /** Asks Puter anew: the network changed, or the person wants to know. */
  check(): void;
  /** The same, and how much of the allowance is left: somebody begins to look. */
  look(): void;
  close(): void;
}

/** How soon Puter is asked again: while somebody looks, while it is gone, and otherwise. */
const waitMs = { watched: 1000, gone: 2500, quiet: 30_000 };
/** How long it may take: long enough for any line, but while somebody looks only twice as long as the last time. */
const patienceMs = { shortest: 2000, longest: 10_000 };

/**
 * Asks Puter at once who the token belongs to, and again while the answer matters: every second while somebody looks
 * (`isWatched`) and every 2.5 s while Puter is gone, so that a hop that breaks or mends shows within 3 s, unless nothing at
 * all comes from it; otherwise twice a minute, and every call tells more.
 */
export function startAccount(options: {
  session: { token: string; apiOrigin: string } | null;
  isWatched: () => boolean;
  now: () => number;
  onChange: () => void;
}): Account {
  const { session, isWatched, now, onChange } = options;
  const stop = new AbortController();
  let standing = createStanding(session !== null, now());
  let question = new AbortController();
  let count = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the last question, answered or given up; infinite while nothing is known of the line. */
  let tookMs = Infinity;

  const isClosed = () => stop.signal.aborted || isOver(standing);

  function tell(event: StandingEvent): void {
    if (isClosed()) return;
    const before = standing;
    standing = learn(standing, event, now());
    const isNew =
      standing.hops !== before.hops ||
      standing.plan !== before.plan ||
      JSON.stringify(standing.allowance) !== JSON.stringify(before.allowance);
    if (isNew) onChange();
  }

  function pace(): keyof typeof waitMs {
    if (isWatched()) return 'watched';
    return standing.hops.puter.state === 'unreachable' ? 'gone' : 'quiet';
  }

  function patience(): number {
    const { shortest, longest } = patienceMs;
    return isWatched() ? Math.min(longest, Math.max(shortest, 2 * tookMs)) : longest;
  }

  function schedule(): void {
    clearTimeout(timer);
    if (isClosed()) return;
    const { until } = standing.hops.puter;
    const wait = waitMs[pace()];
    timer = setTimeout(check, until === null ? wait : Math.min(wait, Math.max(0, until - now())));
  }

  /** One question at a time: a newer one takes the place of the older. */
  function check(): void {
    clearTimeout(timer);
    question.abort();
    if (!session || isClosed()) return;
    question = new AbortController();
    void ask(session, question.signal);
  }

  async function ask({ token, apiOrigin }: { token: string; apiOrigin: string }, isOld: AbortSignal): Promise<void> {
    const start = now();
    const signal = AbortSignal.any([stop.signal, isOld, AbortSignal.timeout(patience())]);
    const event = await askWho(token, apiOrigin, signal);
    if (isOld.aborted) return;
    tookMs = now() - start;
    tell(event);
    if (standing.hops.puter.state === 'out_of_allowance') void askForAllowance();
    schedule();
  }

  async function askForAllowance(): Promise<void> {
    if (!session || isClosed()) return;
    // The newest answer alone counts, in whichever order they come.
    count.abort();
    const { signal } = (count = new AbortController());
    const allowance = await fetchAllowance({ ...session, now, signal: AbortSignal.any([stop.signal, signal]) });
    if (allowance && !signal.aborted) tell({ type: 'allowance', allowance });
  }

  check();
  return {
    standing: () => standing,
    learn(failure) {
      if (!failure) {
        tell({ type: 'answered' });
        if (isWatched()) void askForAllowance();
      } else if (failure.code === 'puter_session_expired') {
        tell({ type: 'rejected' });
      } else if (failure.upstream) {
        tell({ type: 'refused', failure });
        if (standing.hops.puter.state === 'out_of_allowance') void askForAllowance();
        schedule();
      } else if (failure.code === 'upstream_failed') {
        // Whether Puter itself is gone, Puter alone can tell.
        check();
      }
    },
    check,
    look() {
      check();
      void askForAllowance();
    },
    close() {
      stop.abort();
      clearTimeout(timer);
    },
  };
}

async function askWho(token: string, apiOrigin: string, signal: AbortSignal): Promise<StandingEvent> {
  try {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(`${apiOrigin}/whoami`, { headers, signal, cache: 'no-store' });
    const body: unknown = await response.json();
    // The error page of a proxy, or the sign-in page of some network: Puter itself answers with an object.
    if (response.status >= 500 || typeof body !== 'object' || body === null) return { type: 'unreachable' };
    if (response.status === 401) return { type: 'rejected' };
    const user = v.safeParse(userSchema, body);
    return user.success ? { type: 'recognised', user: user.output } : { type: 'reached' };
  } catch {
    return { type: 'unreachable' };
  }
}
