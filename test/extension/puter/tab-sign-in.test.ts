import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createTabSignIn, type TabSignIn } from '../../../extension/puter/tab-sign-in.ts';

const puter = {
  apiOrigin: 'https://api.puter.example',
  guiOrigin: 'https://puter.example',
};
const callback = 'http://127.0.0.1:5001/auth/callback';

let signIns: TabSignIn;
/** What was under way at each `onChange`. */
let changes: (string | null)[];
beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  changes = [];
  signIns = createTabSignIn({ onChange: () => changes.push(signIns.pending()) });
});

describe('a sign-in in a tab', () => {
  it('opens Puter’s page, which returns to the bridge with the state', () => {
    const { state, url } = signIns.begin(puter, callback);
    const page = new URL(url);
    expect([page.origin, page.searchParams.get('action')]).toEqual(['https://puter.example', 'authme']);
    expect(page.searchParams.get('redirectURL')).toBe(`${callback}?state=${state}`);
  });

  it('has a state that nobody can guess and no other sign-in has', () => {
    const states = Array.from({ length: 100 }, () => signIns.begin(puter, callback).state);
    expect(new Set(states).size).toBe(100);
    for (const state of states)
      expect(state).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('belongs to the Puter that it began with', () => {
    const { state } = signIns.begin(puter, callback);
    expect(signIns.redeem(state)).toEqual(puter);
  });

  it('comes back once', () => {
    const { state } = signIns.begin(puter, callback);
    signIns.redeem(state);
    expect(signIns.redeem(state)).toBeNull();
  });

  it('comes back within five minutes', () => {
    const first = signIns.begin(puter, callback);
    vi.advanceTimersByTime(299_999);
    expect(signIns.redeem(first.state)).toEqual(puter);
    const second = signIns.begin(puter, callback);
    vi.advanceTimersByTime(300_000);
    expect(signIns.redeem(second.state)).toBeNull();
  });

  it('is under way until it came back, and for five minutes at most', () => {
    expect(signIns.pending()).toBeNull();
    const first = signIns.begin(puter, callback);
    expect(signIns.pending()).toBe(first.state);
    signIns.redeem(first.state);
    expect(signIns.pending()).toBeNull();
    signIns.begin(puter, callback);
    vi.advanceTimersByTime(300_000);
    expect(signIns.pending()).toBeNull();
  });

  it('tells when it begins, and when it came back, was cancelled or is too late', () => {
    const [first, second, third, fourth] = Array.from({ length: 4 }, (_, n) => {
      const { state } = signIns.begin(puter, callback);
      if (n === 0) signIns.redeem(state);
      if (n === 1) signIns.cancel();
      if (n === 2) vi.advanceTimersByTime(300_000);
      return state;
    });
    expect(changes).toEqual([first, null, second, null, third, null, fourth]);
  });

  it('that a newer one made void does not end the newer one', () => {
    signIns.begin(puter, callback);
    vi.advanceTimersByTime(200_000);
    const newer = signIns.begin(puter, callback);
    vi.advanceTimersByTime(200_000);
    expect(signIns.pending()).toBe(newer.state);
  });

  it('is void once it was cancelled', () => {
    const { state } = signIns.begin(puter, callback);
    signIns.cancel();
    expect(signIns.pending()).toBeNull();
    expect(signIns.redeem(state)).toBeNull();
  });

  it('is void once a newer one began', () => {
    const older = signIns.begin(puter, callback);
    const newer = signIns.begin({ ...puter, apiOrigin: 'https://other.example' }, callback);
    expect(signIns.redeem(older.state)).toBeNull();
    expect(signIns.redeem(newer.state)).toEqual({ ...puter, apiOrigin: 'https://other.example' });
  });

  it('that nobody began does not come back, and spoils none that somebody did', () => {
    expect(signIns.redeem('')).toBeNull();
    const { state } = signIns.begin(puter, callback);
    expect(signIns.redeem(crypto.randomUUID())).toBeNull();
    expect(signIns.redeem(state)).toEqual(puter);
  });
});
