import { expect, it } from 'vitest';

import type { HopState } from '#shared/hops.ts';

import { mustStayAwake } from '../../../extension/background/stay-awake.ts';
import type { ExtensionState } from '../../../extension/state.ts';

const dayMs = 24 * 60 * 60_000;

/** Whether a page sleeps that lost its bridge, or has it, at 0; by what it holds. */
const isAwake = (state: HopState<'bridge'>, { now = 0, held = 0, awaitsSignIn = false } = {}): boolean => {
  const bridge = { state, since: 0, until: null, detail: null };
  return mustStayAwake({ hops: { bridge }, held, awaitsSignIn } as ExtensionState, now);
};

it.each(['connected', 'paused', 'must_pair', 'other_bridge', 'wrong_version', 'replaced'] as const)(
  'a page stays awake for a bridge, whatever that wants first: %s',
  (state) => {
    expect(isAwake(state)).toBe(true);
  },
);

it.each(['connecting', 'no_bridge', 'not_our_bridge'] as const)(
  'without a bridge (%s) it sleeps, unless it holds an answer or a sign-in may come back',
  (state) => {
    expect(isAwake(state)).toBe(false);
    expect(isAwake(state, { held: 1 })).toBe(true);
    expect(isAwake(state, { awaitsSignIn: true })).toBe(true);
  },
);

it('holds an answer for a day: no bridge wants it after that', () => {
  expect(isAwake('no_bridge', { held: 1, now: dayMs - 1 })).toBe(true);
  expect(isAwake('no_bridge', { held: 1, now: dayMs })).toBe(false);
});
