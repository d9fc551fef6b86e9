import { describeHops, hopNames, type HopFact, type HopFacts, type HopStatus } from '#shared/hops.ts';
import type { BridgeStatus, Durability, ExtensionStatus, PuterStatus } from '#shared/status.ts';

import { atMostEvery } from './at-most-every.ts';
import type { Connection } from './connection/connections.ts';
import type { Condition } from './journal/journal.ts';
import { say } from './say.ts';

/** The live state of the three hops, for whoever asks and whoever watches. */
export interface StatusHub {
  /** Derived from the live connections at this moment, never stored. */
  read(): BridgeStatus;
  /** Calls `listener` after changes, for all of a moment at once. Returns how to stop. */
  watch(listener: (status: BridgeStatus) => void): () => void;
  /** Something that `read` shows has changed. */
  changed(): void;
}

/** What is known where there is no connection. */
interface Without {
  /** When the last connection went, or the bridge started. */
  emptySince: Date;
  /** An extension of another version knocks, and is told this. */
  outdated: { sentence: string; since: Date } | null;
  /** An extension that is not paired knocks. */
  knocking: { browser: string; since: Date } | null;
}

/** Nobody sees the difference, and to find out how everything is takes longer than a request does. */
const changeMs = 100;

export function createStatusHub(options: {
  version: string;
  now: () => number;
  sources: () => Without & {
    connections: Connection[];
    busyLanes: (connection: Connection) => number;
    queue: { queued: number; running: number };
    journal: Condition;
  };
}): StatusHub {
  const { version, now, sources } = options;
  const startedAt = now();
  const listeners = new Set<(status: BridgeStatus) => void>();

  function read(): BridgeStatus {
    const { connections, busyLanes, queue, journal, ...rest } = sources();
    const describe = (facts: HopFacts) => ({ ...describeHops(facts, queue.running, say), puter: toPuterStatus(facts) });
    const ways = connections.map((connection) => describe(factsOf(connection)));
    return {
      ...(furthest(ways) ?? describe(factsWithout(rest))),
      bridge: { version, uptime_ms: Math.round(now() - startedAt) },
      extensions: connections.map((connection) => toExtensionStatus(connection, busyLanes(connection))),
      queue,
      durability: durabilityOf(journal),
      notices: noticesOf(journal),
    };
  }

  return {
    read,
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    changed: atMostEvery(changeMs, () => {
      if (listeners.size === 0) return;
      const status = read();
      for (const listener of listeners) listener(status);
    }),
  };
}

function factsOf({ browser, since, pausedSince, account }: Connection): HopFacts {
  const bridge = { until: null, detail: browser };
  return {
    bridge: pausedSince
      ? { ...bridge, state: 'paused', since: pausedSince.getTime() }
      : { ...bridge, state: 'connected', since: since.getTime() },
    ...account,
  };
}

/** Without a connection. */
function factsWithout({ emptySince, outdated, knocking }: Without): HopFacts {
  const fact = { since: emptySince.getTime(), until: null, detail: null };
  return {
    bridge: bridgeWithout() ?? { ...fact, state: 'no_extension' },
    session: { ...fact, state: 'unknown' },
    puter: { ...fact, state: 'unknown' },
  };

  function bridgeWithout(): HopFact<'bridge'> | null {
    if (knocking) return { ...fact, state: 'must_pair', since: knocking.since.getTime(), detail: knocking.browser };
    return outdated && { ...fact, state: 'wrong_version', since: outdated.since.getTime(), detail: outdated.sentence };
  }
}

const toPuterStatus = ({ session, puter }: Pick<HopFacts, 'session' | 'puter'>): PuterStatus => ({
  signed_in: session.state === 'signed_in',
  username: session.state === 'signed_in' ? session.detail : null,
  reachable: puter.state === 'unknown' ? null : puter.state !== 'unreachable',
});

const toExtensionStatus = (
  { browser, version, since, paused, lanes, account }: Connection,
  busy: number,
): ExtensionStatus => ({
  browser,
  version,
  since: since.toISOString(),
  paused,
  lanes: { busy, free: Math.max(0, lanes - busy) },
  puter: toPuterStatus(account),
});

export const durabilityOf = ({ trouble }: Condition): Durability => (trouble === null ? 'full' : 'degraded');

const noticesOf = ({ trouble, wasPutAside, unreadable }: Condition): string[] => [
  ...(trouble === null ? [] : [say('records_not_kept', trouble)]),
  ...(wasPutAside ? [say('records_put_aside')] : []),
  ...(unreadable === 0 ? [] : [say('records_unreadable', String(unreadable))]),
];

const distance = { green: 0, yellow: 1, grey: 1, red: 2 } as const;

/** The later its first broken hop the better, then how good each hop is, from the bridge on; the first wins a draw. */
function furthest<W extends HopStatus>(ways: readonly W[]): W | undefined {
  const rate = ({ hops }: W): number[] => {
    const colors = hopNames.map((name) => hops[name].color);
    const [first = hopNames.length] = colors.flatMap((color, at) => (color === 'red' ? [at] : []));
    return [-first, ...colors.map((color) => distance[color])];
  };
  return ways.toSorted((a, b) => compare(rate(a), rate(b)))[0];
}

const compare = (a: number[], b: number[]): number =>
  a.map((value, at) => value - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
