import * as v from 'valibot';

import type { Failure } from '#shared/errors.ts';
import { changeFact, type AccountState, type HopFact } from '#shared/hops.ts';

import { fetchAllowance, monthEnd, type Allowance } from './allowance.ts';

/** The person's account at Puter as far as it is known, from Puter's own answers only. */
export interface Account {
  state(): AccountState;
  plan(): Plan | null;
  allowance(): Allowance | null;
  /** Takes what a call told: an answer (null), a refusal, or that Puter was not reached. */
  learn(failure: Failure | null): void;
  /** Asks Puter now how things are: the network changed, or the person wants to know. */
  check(): void;
  /** The same, and how much of the allowance is left: somebody begins to look. */
  look(): void;
  close(): void;
}

export type { Allowance } from './allowance.ts';
/** Decides how many calls Puter lets run at once. */
export type Plan = 'temporary' | 'free' | 'paid';

const flag = v.optional(v.nullable(v.union([v.boolean(), v.number()])));
const userSchema = v.object({
  username: v.string(),
  is_temp: flag,
  subscribed: flag,
  email_confirmed: flag,
  requires_email_confirmation: flag,
  requires_phone_verification: flag,
  requires_card_verification: flag,
});
type User = v.InferOutput<typeof userSchema>;

/** How often Puter is asked while somebody looks or something is wrong, and how often otherwise. */
const closeMs = 2000;
const farMs = 60_000;
const timeoutMs = 10_000;
/** Puter counts calls in windows of this length, and sends no Retry-After. */
const rateWindowMs = 10_000;

const verificationCodes = new Set([
  'email_confirmation_required',
  'phone_verification_required',
  'card_verification_required',
  'account_is_not_verified',
]);

/**
 * Asks Puter at once who the token belongs to, and again every two seconds while the answer matters: while somebody
 * looks at it (`isWatched`), or Puter could not be reached. Otherwise once a minute; every call tells more.
 */
export function startAccount(options: {
  session: { token: string; apiOrigin: string } | null;
  isWatched: () => boolean;
  now: () => number;
  onChange: () => void;
}): Account {
  const { session, isWatched, now, onChange } = options;
  const stop = new AbortController();
  let hops: AccountState = {
    session: { state: session ? 'signed_in' : 'signed_out', since: now(), until: null, detail: null },
    puter: { state: 'unknown', since: now(), until: null, detail: null },
  };
  let username: string | null = null;
  let plan: Plan | null = null;
  let allowance: Allowance | null = null;
  /** A limit that a call met. It holds until then, even if the network fails meanwhile. */
  let limit: { state: 'rate_limited' | 'out_of_allowance'; until: number } | null = null;
  /** What was left when it was last asked since Puter refused for want of it: more means that it came back. */
  let leftAtRefusal = Infinity;
  /** What Puter says of verifications; null until it did. */
  let standing: string | null = null;
  /** A call was refused for want of one, and what Puter said of them then. */
  let blocked: { standing: string | null } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: Promise<void> | undefined;

  /** Nothing more is to be learnt: no token comes back to life, and what was under way says nothing new. */
  const isOver = () => stop.signal.aborted || hops.session.state === 'expired';

  type Change<N extends keyof AccountState> = Partial<Omit<HopFact<N>, 'since'>>;

  function become(change: { session?: Change<'session'>; puter?: Change<'puter'> }): void {
    const before = hops;
    const clear = { until: null, detail: null };
    const next = {
      session: change.session
        ? changeFact(
            hops.session,
            { detail: change.session.state === 'signed_in' ? username : null, ...change.session },
            now(),
          )
        : hops.session,
      puter: change.puter ? changeFact(hops.puter, { ...clear, ...change.puter }, now()) : hops.puter,
    };
    hops = next;
    if (next.session !== before.session || next.puter !== before.puter) onChange();
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    const { until } = hops.puter;
    if (!session || isOver()) return;
    const isBad = hops.puter.state === 'unreachable' || hops.puter.state === 'out_of_allowance';
    const wait = isBad || isWatched() ? closeMs : farMs;
    timer = setTimeout(check, until === null ? wait : Math.min(wait, Math.max(0, until - now())));
  }

  function check(): void {
    if (!session || isOver()) return;
    // One question at a time; the next one begins after the answer.
    asking ??= ask(session).finally(() => {
      asking = undefined;
      schedule();
    });
  }

  async function ask({ token, apiOrigin }: { token: string; apiOrigin: string }): Promise<void> {
    if (hops.puter.until !== null && hops.puter.until <= now()) become({ puter: reached() });
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${apiOrigin}/whoami`, { headers, signal, cache: 'no-store' });
      const body: unknown = await response.json().catch(() => null);
      // Meanwhile a call may have told more.
      if (isOver()) return;
      if (response.status === 401) return become({ session: { state: 'expired' }, puter: reached() });
      // The error page of a proxy, or the sign-in page of some network: Puter itself answers in JSON.
      const isPuter = response.status < 500 && typeof body === 'object' && body !== null;
      if (!isPuter) return become({ puter: { state: 'unreachable' } });
      const user = v.safeParse(userSchema, body);
      if (user.success) recognise(user.output);
      become({ puter: reached() });
    } catch {
      if (!isOver()) become({ puter: { state: 'unreachable' } });
    }
    if (hops.puter.state === 'out_of_allowance') await askForAllowance();
  }

  function recognise(user: User): void {
    username = user.username.slice(0, 100);
    const oldPlan = plan;
    plan = user.is_temp ? 'temporary' : user.subscribed ? 'paid' : 'free';
    standing = JSON.stringify({ ...user, username: undefined });
    // What only a call was told holds until a call succeeds, or until Puter says something else of the account.
    if (blocked) blocked.standing ??= standing;
    if (blocked?.standing !== standing) blocked = null;
    const missing = missingVerification(user);
    if (missing !== null) become({ session: { state: 'verification_required', detail: missing } });
    else if (!blocked) become({ session: { state: 'signed_in' } });
    if (plan !== oldPlan) onChange();
  }

  /** Puter answered; the limit that a call met may still hold. */
  function reached(): Change<'puter'> {
    if (limit && limit.until <= now()) limit = null;
    return limit ?? { state: 'reachable' };
  }

  async function askForAllowance(): Promise<void> {
    if (!session || isOver()) return;
    const fresh = await fetchAllowance({ ...session, now, signal: stop.signal });
    if (!fresh || isOver()) return;
    const isNew = JSON.stringify(fresh) !== JSON.stringify(allowance);
    allowance = fresh;
    if (limit?.state === 'out_of_allowance') {
      if (fresh.left > leftAtRefusal) limit = null;
      leftAtRefusal = fresh.left;
      become({ puter: reached() });
    }
    if (isNew) onChange();
  }

  function learnRefusal({ message, upstream }: Failure): void {
    const code = upstream?.code ?? '';
    const isOut = limit?.state === 'out_of_allowance';
    if (code === 'insufficient_funds') {
      limit = { state: 'out_of_allowance', until: monthEnd(now()) };
      // What was known to be left is old by now, and a call can cost more than what is left.
      if (!isOut) leftAtRefusal = Infinity;
      void askForAllowance();
    } else if (code === 'too_many_requests' && !isOut) {
      limit = { state: 'rate_limited', until: now() + rateWindowMs };
    }
    const detail = (upstream?.message ?? message).slice(0, 300);
    const state = verificationCodes.has(code) ? 'verification_required' : code === 'app_blocked' ? code : null;
    if (state) blocked = { standing };
    become({ puter: reached(), ...(state && { session: { state, detail } }) });
  }

  check();
  return {
    state: () => hops,
    plan: () => plan,
    allowance: () => allowance,
    learn(failure) {
      if (isOver()) return;
      if (!failure) {
        blocked = null;
        limit = null;
        become({ session: { state: 'signed_in' }, puter: { state: 'reachable' } });
        if (isWatched()) void askForAllowance();
      } else if (failure.code === 'puter_session_expired') {
        become({ session: { state: 'expired' }, puter: reached() });
      } else if (failure.upstream) {
        learnRefusal(failure);
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

/** In the words that Puter uses when it refuses for that reason. */
function missingVerification(user: User): string | null {
  if (user.requires_email_confirmation && !user.email_confirmed) return 'Please confirm your email to continue';
  if (user.requires_phone_verification) return 'Please verify your phone number to continue';
  if (user.requires_card_verification) return 'Please verify your card to continue';
  return null;
}
