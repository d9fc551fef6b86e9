import { describe, expect, it } from 'vitest';

import type { AccountState, HopState } from '#shared/hops.ts';

import type { Connection } from '../../bridge/connection/connections.ts';
import type { Condition } from '../../bridge/journal/journal.ts';
import { createStatusHub } from '../../bridge/status.ts';

const start = new Date('2026-11-24T00:00:00Z');
const later = new Date('2026-11-24T01:00:00Z');

function createAccount(session: HopState<'session'>, puter: HopState<'puter'>, detail = 'ada'): AccountState {
  const fact = { since: start.getTime(), until: null };
  return { session: { ...fact, state: session, detail }, puter: { ...fact, state: puter, detail: null } };
}

const createConnection = (browser: string, account: AccountState, pausedSince: Date | null = null): Connection => ({
  instance: browser,
  profile: browser,
  version: '1.0.0',
  browser,
  lanes: 3,
  rate: 30,
  since: start,
  pausedSince,
  paused: pausedSince !== null,
  account,
  send: () => {},
  sendNow: () => {},
});

const sound: Condition = { trouble: null, wasPutAside: false, unreadable: 0 };

const read = (
  connections: Connection[],
  running = 0,
  emptySince = start,
  outdated: { sentence: string; since: Date } | null = null,
  knocking: { browser: string; since: Date } | null = null,
  journal = sound,
) =>
  createStatusHub({
    version: '1.2.3',
    now: () => 0,
    sources: () => ({
      ...{ connections, emptySince, outdated, knocking },
      busyLanes: () => 1,
      queue: { queued: 0, running },
      journal,
    }),
  }).read();

const good = createAccount('signed_in', 'reachable');

describe('what is kept', () => {
  const kept = (change: Partial<Condition>) => {
    const { durability, notices } = read([], 0, start, null, null, { ...sound, ...change });
    return { durability, notices: notices.join(' ') };
  };

  it('is safe, and nothing is said of it', () => {
    expect(kept({})).toEqual({ durability: 'full', notices: '' });
  });

  it('is lost with the bridge where the disk fails, and the reason is told', () => {
    const { durability, notices } = kept({ trouble: 'database or disk is full' });
    expect(durability).toBe('degraded');
    expect(notices).toContain('(database or disk is full)');
  });

  it('is safe again after a damage, of which is told what it took', () => {
    const { durability, notices } = kept({ wasPutAside: true, unreadable: 3 });
    expect(durability).toBe('full');
    expect(notices).toMatch(/journal\.db\.broken.* 3 of the kept answers/);
  });
});

describe('the status', () => {
  it('without an extension says since when there is none, and nothing of what only it knows', () => {
    const { light, hops, puter, extensions } = read([], 0, later);
    const since = later.toISOString();
    expect(hops).toMatchObject({
      bridge: { state: 'no_extension', color: 'red', since, fix: 'load_extension' },
      session: { state: 'unknown', color: 'grey', since },
      puter: { state: 'unknown', color: 'grey', since },
    });
    expect(light).toEqual({ color: 'red', badge: '!', sentence: hops.bridge.cause });
    expect([puter, extensions]).toEqual([{ signed_in: false, username: null, reachable: null }, []]);
  });

  it('with one tells the browser, and what the extension told', () => {
    const { light, hops, puter, extensions } = read([createConnection('Chromium 156', good)]);
    expect(hops.bridge).toMatchObject({ state: 'connected', cause: 'Connected to Chromium 156.' });
    expect(hops.bridge.since).toBe(start.toISOString());
    expect(hops.session.cause).toBe('Signed in as ada.');
    expect(light).toEqual({ color: 'green', badge: '✓', sentence: 'Ready.' });
    expect(puter).toEqual({ signed_in: true, username: 'ada', reachable: true });
    expect(extensions).toEqual([
      {
        browser: 'Chromium 156',
        version: '1.0.0',
        since: start.toISOString(),
        paused: false,
        lanes: { busy: 1, free: 2 },
        puter,
      },
    ]);
  });

  it('with one that knocks and is not paired says so, and since when, unless another is connected', () => {
    const knocking = { browser: 'Firefox 153', since: later };
    expect(read([], 0, start, null, knocking).hops.bridge).toMatchObject({
      state: 'must_pair',
      cause: 'Not paired with Firefox 153 yet.',
      since: later.toISOString(),
      fix: 'pair',
    });
    expect(read([createConnection('a', good)], 0, start, null, knocking).hops.bridge.state).toBe('connected');
  });

  it('counts what runs', () => {
    expect(read([createConnection('a', good)], 2).light).toMatchObject({ color: 'yellow', badge: '2' });
  });

  it('is red and says since when while the person paused', () => {
    const { light, hops, extensions } = read([createConnection('a', good, later)], 1);
    expect(hops.bridge).toMatchObject({ state: 'paused', since: later.toISOString(), fix: 'resume' });
    expect(light.color).toBe('red');
    expect(extensions[0]?.paused).toBe(true);
  });

  it.each<[HopState<'session'>, HopState<'puter'>, object]>([
    ['signed_in', 'unknown', { signed_in: true, username: 'ada', reachable: null }],
    ['signed_in', 'unreachable', { signed_in: true, username: 'ada', reachable: false }],
    ['signed_in', 'rate_limited', { signed_in: true, username: 'ada', reachable: true }],
    ['signed_in', 'out_of_allowance', { signed_in: true, username: 'ada', reachable: true }],
    ['expired', 'reachable', { signed_in: false, username: null, reachable: true }],
    ['signed_out', 'reachable', { signed_in: false, username: null, reachable: true }],
    ['verification_required', 'reachable', { signed_in: false, username: null, reachable: true }],
  ])('keeps the older fields right where the session is %s and Puter %s', (session, puter, expected) => {
    const status = read([createConnection('a', createAccount(session, puter))]);
    expect([status.puter, status.extensions[0]?.puter]).toEqual([expected, expected]);
  });
});

describe('of several extensions the status tells of the one that has come furthest', () => {
  const named = (name: string, puter: HopState<'puter'> = 'reachable') =>
    createConnection(name, createAccount('signed_in', puter, name));

  it.each<[string, Connection, Connection]>([
    ['signed in before signed out', named('best'), createConnection('b', createAccount('signed_out', 'reachable'))],
    [
      'the way that breaks later, as the dispatcher takes it, even where more is broken on it',
      createConnection('best', createAccount('signed_out', 'unreachable')),
      createConnection('b', good, later),
    ],
    [
      'a hop that is not known before a broken one',
      createConnection('best', createAccount('unknown', 'unreachable')),
      createConnection('b', createAccount('signed_out', 'reachable')),
    ],
    [
      'what breaks later first',
      named('best', 'rate_limited'),
      createConnection('b', createAccount('expired', 'unreachable')),
    ],
    ['not paused before paused', named('best'), { ...named('b'), paused: true, pausedSince: later }],
    ['green before grey', named('best'), named('b', 'unknown')],
    ['grey before red', named('best', 'unknown'), named('b', 'unreachable')],
    [
      'the nearer hop before the farther, where as much is broken',
      named('best', 'unreachable'),
      createConnection('b', createAccount('signed_out', 'reachable')),
    ],
  ])('%s, whichever came first', (_, best, other) => {
    const { hops, puter } = read([best]);
    expect(read([other]).hops).not.toEqual(hops);
    for (const both of [
      [best, other],
      [other, best],
    ])
      expect(read(both)).toMatchObject({ hops, puter });
  });

  it('and of equals, of the first', () => {
    expect(read([named('first'), named('second')]).puter.username).toBe('first');
    expect(read([named('first'), named('second')]).extensions).toHaveLength(2);
  });
});
