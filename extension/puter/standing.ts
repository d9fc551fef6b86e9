import * as v from 'valibot';

import type { Failure } from '#shared/errors.ts';
import { changeFact, type AccountState, type HopFact } from '#shared/hops.ts';

import { monthEnd, type Allowance } from './allowance.ts';

/** How an account stands with Puter, as a pure function of what Puter said and when. */
export interface Standing {
  hops: AccountState;
  plan: Plan | null;
  allowance: Allowance | null;
  username: string | null;
  /** A limit that a call met. It holds until then, even if the network fails meanwhile. */
  limit: { state: 'rate_limited' | 'out_of_allowance'; until: number } | null;
  /** What was left when it was last asked since Puter refused for want of it: more means that it came back. */
  leftAtRefusal: number;
  /** What Puter says of verifications; null until it did. */
  verification: string | null;
  /** A call was refused for want of one, or for good, and what Puter said of verifications then. */
  blocked: { verification: string | null } | null;
}

export type StandingEvent =
  /** Puter said who the token belongs to. */
  | { type: 'recognised'; user: User }
  /** Puter answered, and said nothing of the account. */
  | { type: 'reached' }
  /** Puter does not take the token (any more). */
  | { type: 'rejected' }
  | { type: 'unreachable' }
  /** A call was answered. */
  | { type: 'answered' }
  /** Puter refused a call. */
  | { type: 'refused'; failure: Failure }
  | { type: 'allowance'; allowance: Allowance };

/** Decides how many calls Puter lets run at once. */
export type Plan = 'temporary' | 'free' | 'paid';

const flag = v.optional(v.nullable(v.union([v.boolean(), v.number()])));
/** The part of `GET /whoami` that matters here. */
export const userSchema = v.object({
  username: v.string(),
  is_temp: flag,
  subscribed: flag,
  email_confirmed: flag,
  requires_email_confirmation: flag,
  requires_phone_verification: flag,
  requires_card_verification: flag,
});
type User = v.InferOutput<typeof userSchema>;

/** Puter counts calls in windows of this length, and sends no Retry-After. */
const rateWindowMs = 10_000;

const verificationCodes = new Set([
  'email_confirmation_required',
  'phone_verification_required',
  'card_verification_required',
  'account_is_not_verified',
]);

export function createStanding(hasSession: boolean, now: number): Standing {
  const unknown = { since: now, until: null, detail: null };
  return {
    hops: {
      session: { ...unknown, state: hasSession ? 'signed_in' : 'signed_out' },
      puter: { ...unknown, state: 'unknown' },
    },
    plan: null,
    allowance: null,
    username: null,
    limit: null,
    leftAtRefusal: Infinity,
    verification: null,
    blocked: null,
  };
}

/** No token comes back to life, and what was under way when it ended says nothing new. */
export const isOver = ({ hops: { session } }: Standing): boolean =>
  session.state === 'expired' || session.state === 'signed_out';

export function learn(standing: Standing, event: StandingEvent, now: number): Standing {
  if (isOver(standing)) return standing;
  switch (event.type) {
    case 'recognised':
      return recognise(standing, event.user, now);
    case 'reached':
      return withHops(standing, { puter: reached(standing, now) }, now);
    case 'rejected':
      return withHops(standing, { session: { state: 'expired' }, puter: reached(standing, now) }, now);
    case 'unreachable':
      return withHops(standing, { puter: { state: 'unreachable' } }, now);
    case 'answered': {
      const free: Standing = { ...standing, limit: null, blocked: null };
      return withHops(free, { session: { state: 'signed_in' }, puter: { state: 'reachable' } }, now);
    }
    case 'refused':
      return learnRefusal(standing, event.failure, now);
    case 'allowance':
      return learnAllowance(standing, event.allowance, now);
  }
}

type Change<N extends keyof AccountState> = Partial<Omit<HopFact<N>, 'since'>>;

function withHops(
  standing: Standing,
  change: { session?: Change<'session'>; puter?: Change<'puter'> },
  now: number,
): Standing {
  const { hops, username } = standing;
  const named = change.session?.state === 'signed_in' ? username : null;
  const session = change.session ? changeFact(hops.session, { detail: named, ...change.session }, now) : hops.session;
  const puter = change.puter ? changeFact(hops.puter, { until: null, ...change.puter }, now) : hops.puter;
  return session === hops.session && puter === hops.puter ? standing : { ...standing, hops: { session, puter } };
}

/** Puter answered; the limit that a call met may still hold. */
const reached = ({ limit }: Standing, now: number): Change<'puter'> =>
  limit && now < limit.until ? limit : { state: 'reachable' };

function recognise(standing: Standing, user: User, now: number): Standing {
  const verification = JSON.stringify({ ...user, username: undefined });
  // What only a call was told holds until a call succeeds, or until Puter says something else of the account.
  const heldBy = standing.blocked && (standing.blocked.verification ?? verification);
  const blocked = heldBy === verification ? { verification } : null;
  const next: Standing = {
    ...standing,
    username: user.username.slice(0, 100),
    plan: user.is_temp ? 'temporary' : user.subscribed ? 'paid' : 'free',
    verification,
    blocked,
  };
  const puter = reached(standing, now);
  const missing = missingVerification(user);
  if (missing !== null) {
    return withHops(next, { session: { state: 'verification_required', detail: missing }, puter }, now);
  }
  return withHops(next, blocked ? { puter } : { session: { state: 'signed_in' }, puter }, now);
}

function learnRefusal(standing: Standing, { message, upstream }: Failure, now: number): Standing {
  const code = upstream?.code ?? '';
  let next = standing;
  const isOut = standing.limit?.state === 'out_of_allowance';
  if (code === 'insufficient_funds') {
    // What was known to be left is old by now, and a call can cost more than what is left.
    const leftAtRefusal = isOut ? standing.leftAtRefusal : Infinity;
    next = { ...standing, limit: { state: 'out_of_allowance', until: monthEnd(now) }, leftAtRefusal };
  } else if (code === 'too_many_requests' && !isOut) {
    next = { ...standing, limit: { state: 'rate_limited', until: now + rateWindowMs } };
  }
  const puter = reached(next, now);
  const state = verificationCodes.has(code) ? 'verification_required' : code === 'app_blocked' ? code : null;
  if (!state) return withHops(next, { puter }, now);
  const detail = (upstream?.message ?? message).slice(0, 300);
  next = { ...next, blocked: { verification: next.verification } };
  return withHops(next, { session: { state, detail }, puter }, now);
}

function learnAllowance(standing: Standing, allowance: Allowance, now: number): Standing {
  if (standing.limit?.state !== 'out_of_allowance') return { ...standing, allowance };
  const limit = allowance.left > standing.leftAtRefusal ? null : standing.limit;
  const next: Standing = { ...standing, allowance, limit, leftAtRefusal: allowance.left };
  return withHops(next, { puter: reached(next, now) }, now);
}

/** In the words that Puter uses when it refuses for that reason. */
function missingVerification(user: User): string | null {
  if (user.requires_email_confirmation && !user.email_confirmed) return 'Please confirm your email to continue';
  if (user.requires_phone_verification) return 'Please verify your phone number to continue';
  if (user.requires_card_verification) return 'Please verify your card to continue';
  return null;
}
