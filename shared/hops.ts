import type { MessageKey, Say } from './say.ts';

/**
 * The way from a caller to Puter has three hops, and what a person sees of it is decided here alone: from what each
 * hop is now follow its colour, its sentence, the one thing that mends it, and the one light over all three.
 */

/** Each state with its colour, and what mends it. */
const hopTable = {
  /** Between the bridge and the extension. The extension sees some of them, the bridge others. */
  bridge: {
    connected: ['green'],
    connecting: ['yellow'],
    no_bridge: ['red', 'start_bridge'],
    no_extension: ['red', 'load_extension'],
    wrong_version: ['red', 'update'],
    not_our_bridge: ['red', 'change_address'],
    must_pair: ['red', 'pair'],
    other_bridge: ['red', 'change_address'],
    replaced: ['red', 'retry'],
    paused: ['red', 'resume'],
  },
  /** The person's session at Puter. */
  session: {
    signed_in: ['green'],
    signed_out: ['red', 'sign_in'],
    expired: ['red', 'sign_in'],
    verification_required: ['red', 'open_puter'],
    app_blocked: ['red', 'open_puter'],
    unknown: ['grey'],
  },
  /** Puter itself, as this account meets it. */
  puter: {
    reachable: ['green'],
    unreachable: ['red', 'retry'],
    rate_limited: ['red'],
    out_of_allowance: ['red', 'see_allowance'],
    unknown: ['grey'],
  },
} as const satisfies Record<string, Record<string, readonly [Color, Fix?]>>;

export type Color = 'green' | 'yellow' | 'red' | 'grey';

/** What a person can do about a broken hop: one button each. */
export type Fix =
  | 'start_bridge'
  | 'load_extension'
  | 'update'
  | 'change_address'
  | 'pair'
  | 'retry'
  | 'resume'
  | 'sign_in'
  | 'open_puter'
  | 'see_allowance';

export type HopName = keyof typeof hopTable;
export type HopState<N extends HopName = HopName> = keyof (typeof hopTable)[N] & string;
export const hopNames = ['bridge', 'session', 'puter'] as const satisfies HopName[];
export const statesOf = <N extends HopName>(name: N): HopState<N>[] => Object.keys(hopTable[name]) as HopState<N>[];

/** What is known of a hop. Times are milliseconds since 1970. */
export interface HopFact<N extends HopName = HopName> {
  state: HopState<N>;
  since: number;
  /** When it is expected to be over, where that is known. */
  until: number | null;
  /** What the sentence names: an address, an account, the words of the other side. */
  detail: string | null;
}

export type HopFacts = { [N in HopName]: HopFact<N> };

/** The two hops behind the extension, as it tells them to the bridge. */
export type AccountState = Pick<HopFacts, 'session' | 'puter'>;

/** A hop as people and programs see it: times are ISO 8601, `cause` is a sentence. */
export interface Hop {
  state: string;
  color: Color;
  since: string;
  until: string | null;
  cause: string;
  fix: Fix | null;
}

/** The one light of the whole way. */
export interface Light {
  color: 'green' | 'yellow' | 'red';
  /** Said beside the colour, which some people cannot see. */
  badge: string;
  sentence: string;
}

export interface HopStatus {
  light: Light;
  hops: Record<HopName, Hop>;
}

/** The state of the whole way in words. `running` counts the calls that run now. */
export function describeHops(facts: HopFacts, running: number, say: Say): HopStatus {
  const hops = {
    bridge: describeHop('bridge', facts.bridge, say),
    session: describeHop('session', facts.session, say),
    puter: describeHop('puter', facts.puter, say),
  };
  return {
    light: toLight(
      hopNames.map((name) => hops[name]),
      running,
      say,
    ),
    hops,
  };
}

function describeHop<N extends HopName>(name: N, fact: HopFact<N>, say: Say): Hop {
  const { state, since, until, detail } = fact;
  const [color, fix = null] = (hopTable[name] as Record<string, readonly [Color, Fix?]>)[state] ?? ['grey'];
  return {
    state,
    color,
    since: new Date(since).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
    cause: say(causeKey(name, fact), detail ?? '', until === null ? '' : clock(state, until)),
    fix,
  };
}

/** The sentences are named after hop and state; a test holds table and catalogue together. */
const causeKey = (name: HopName, { state, detail }: { state: string; detail: string | null }): MessageKey =>
  state === 'signed_in' && detail === null ? 'session_signed_in_unnamed' : (`${name}_${state}` as MessageKey);

/** `1 December`: Puter counts by the calendar of UTC. */
export const utcDay = (time: number): string =>
  new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });

/** When a state is over, as people say it: an allowance by the day. */
const clock = (state: string, until: number): string =>
  state === 'out_of_allowance' ? utcDay(until) : new Date(until).toLocaleTimeString('en-GB');

/** Red with the first broken hop, yellow while something is under way, green when requests are answered. */
function toLight(hops: Hop[], running: number, say: Say): Light {
  const broken = hops.find(({ color }) => color === 'red');
  if (broken) return { color: 'red', badge: '!', sentence: broken.cause };
  const pending = hops.find(({ color }) => color !== 'green');
  if (pending) return { color: 'yellow', badge: '…', sentence: pending.cause };
  if (running > 0) {
    const sentence = running === 1 ? say('light_processing_one') : say('light_processing', String(running));
    return { color: 'yellow', badge: String(running), sentence };
  }
  return { color: 'green', badge: '✓', sentence: say('light_ready') };
}

/** The fact after a change: `since` moves only where the state is another. The very same object where nothing changed. */
export function changeFact<N extends HopName>(
  fact: HopFact<N>,
  change: Partial<Omit<HopFact<N>, 'since'>>,
  now: number,
): HopFact<N> {
  const next = { ...fact, ...change };
  if (next.state !== fact.state) return { ...next, since: now };
  return next.until === fact.until && next.detail === fact.detail ? fact : next;
}
