import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  describeHops,
  type Color,
  type Fix,
  type HopFacts,
  type HopName,
  type HopState,
  utcDay,
} from '#shared/hops.ts';
import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };
import type { MessageKey } from '#shared/say.ts';

import { account } from './arbitraries.ts';

/** Every state there is, with what a person sees of it; the compiler asks for those that are missing. */
const states: { [N in HopName]: Record<HopState<N>, [Color, Fix | null]> } = {
  bridge: {
    connected: ['green', null],
    connecting: ['yellow', null],
    no_bridge: ['red', 'start_bridge'],
    no_extension: ['red', 'load_extension'],
    wrong_version: ['red', 'update'],
    not_our_bridge: ['red', 'change_address'],
    must_pair: ['red', 'pair'],
    other_bridge: ['red', 'change_address'],
    replaced: ['red', 'retry'],
    paused: ['red', 'resume'],
  },
  session: {
    signed_in: ['green', null],
    signed_out: ['red', 'sign_in'],
    expired: ['red', 'sign_in'],
    verification_required: ['red', 'open_puter'],
    app_blocked: ['red', 'open_puter'],
    unknown: ['grey', null],
  },
  puter: {
    reachable: ['green', null],
    unreachable: ['red', 'retry'],
    rate_limited: ['red', null],
    out_of_allowance: ['red', 'see_allowance'],
    unknown: ['grey', null],
  },
};
const rows = (Object.keys(states) as HopName[]).flatMap((name) =>
  Object.entries(states[name]).map(([state, [color, fix]]) => ({ name, state, color, fix })),
);

const noon = Date.parse('2026-11-24T12:00:00Z');
const fact = <S extends string>(state: S) => ({ state, since: noon, until: null, detail: null });
const ready: HopFacts = { bridge: fact('connected'), session: fact('signed_in'), puter: fact('reachable') };

/** Says which sentence it was asked for, and with what. */
const say = (key: MessageKey, ...substitutions: string[]) => [key, ...substitutions].join('|');
const describeWith = (facts: object, running = 0) => describeHops({ ...ready, ...facts }, running, say);
const lightOf = (facts: object, running = 0) => describeWith(facts, running).light;

describe('a hop', () => {
  it.each(rows)('$name $state is $color, has its sentence, and $fix mends it', ({ name, state, color, fix }) => {
    const hop = describeWith({ [name]: { ...fact(state), detail: 'D' } }).hops[name];
    expect(hop).toMatchObject({ state, color, fix, since: '2026-11-24T12:00:00.000Z', until: null });
    expect(hop.cause).toBe(`${name}_${state}|D|`);
    expect(Object.keys(catalogue)).toContain(`${name}_${state}`);
    expect(fix === null || `fix_${fix}` in catalogue).toBe(true);
  });

  it('whose account has no name yet is said without one', () => {
    expect(describeWith({}).hops.session.cause).toBe('session_signed_in_unnamed||');
    expect(describeWith({ session: { ...fact('signed_in'), detail: 'ada' } }).hops.session.cause).toBe(
      'session_signed_in|ada|',
    );
  });

  it('says at what time a limit of rate is over, and on which day of UTC an allowance starts anew', () => {
    const limited = describeWith({ puter: { ...fact('rate_limited'), until: noon + 90_000 } }).hops.puter;
    expect(limited.until).toBe('2026-11-24T12:01:30.000Z');
    expect(limited.cause).toMatch(/^puter_rate_limited\|\|\d\d:\d\d:30$/);
    const used = describeWith({ puter: { ...fact('out_of_allowance'), until: Date.UTC(2026, 11) } }).hops.puter;
    expect(used.cause).toBe('puter_out_of_allowance||1 December');
  });

  it('can be said whatever an extension tells of it', () => {
    fc.assert(
      fc.property(account, fc.nat(), (told, running) => {
        const { light, hops } = describeHops({ ...ready, ...told }, running, say);
        expect([light.sentence, hops.session.cause, hops.puter.cause]).not.toContain('');
      }),
    );
  });
});

describe('the light', () => {
  it('is green when requests are answered, and not before Puter was asked', () => {
    expect(lightOf({})).toEqual({ color: 'green', badge: '✓', sentence: 'light_ready' });
    expect(lightOf({ puter: fact('unknown') })).toEqual({ color: 'yellow', badge: '…', sentence: 'puter_unknown||' });
  });

  it('is yellow and counts while calls run', () => {
    expect(lightOf({}, 1)).toEqual({ color: 'yellow', badge: '1', sentence: 'light_processing_one' });
    expect(lightOf({}, 12)).toEqual({ color: 'yellow', badge: '12', sentence: 'light_processing|12' });
  });

  it('is yellow while the bridge is dialled, even though calls run', () => {
    const light = { color: 'yellow', badge: '…', sentence: 'bridge_connecting||' };
    expect(lightOf({ bridge: fact('connecting') })).toEqual(light);
    expect(lightOf({ bridge: fact('connecting') }, 2)).toEqual(light);
  });

  it.each(rows.filter(({ color }) => color === 'red'))('is red for $name $state', ({ name, state }) => {
    const red = { color: 'red', badge: '!', sentence: `${name}_${state}||` };
    expect(lightOf({ [name]: fact(state) })).toEqual(red);
    expect(lightOf({ [name]: fact(state) }, 3)).toEqual(red);
  });

  it('tells of the first broken hop, from the caller on', () => {
    const broken = { bridge: fact('paused'), session: fact('expired'), puter: fact('unreachable') };
    expect(lightOf(broken).sentence).toBe('bridge_paused||');
    expect(lightOf({ ...broken, bridge: fact('connected') }).sentence).toBe('session_expired||');
    expect(lightOf({ ...broken, bridge: fact('connecting') }).sentence).toBe('session_expired||');
    expect(lightOf({ puter: fact('unreachable') }).sentence).toBe('puter_unreachable||');
  });
});

describe('a day', () => {
  it.each([
    ['2026-12-01T00:00:00Z', '1 December'],
    ['2026-12-31T23:59:59Z', '31 December'],
    ['2027-02-01T00:00:00+02:00', '31 January'],
  ])('%s is %s, by the calendar of UTC', (time, text) => expect(utcDay(Date.parse(time))).toBe(text));
});
