import { randomBytes } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createOffers, type Offer, type Offers } from '../../../bridge/pairing/offers.ts';

const firefox = { origin: 'moz-extension://a', browser: 'Firefox 153' };
let offers: Offers;
let isPageWatched: boolean;
let changes: number;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-24T12:00:00Z') });
  isPageWatched = false;
  changes = 0;
  offers = createOffers({
    now: () => performance.now(),
    random: randomBytes,
    isWatched: () => isPageWatched,
    onChange: () => void (changes += 1),
  });
});
afterEach(() => {
  offers.close();
  const left = vi.getTimerCount();
  vi.useRealTimers();
  if (left > 0) throw new Error(`${left} timers are left.`);
});

const code = () => offers.view()?.code;
const current = (): Offer => offers.current() ?? expect.fail('No code.');
/** As an extension does that waits to be paired. */
function knockFor(ms: number, isWatched = false): void {
  for (let passed = 0; passed < ms; passed += 5000) {
    vi.advanceTimersByTime(5000);
    offers.knock(firefox, isWatched);
  }
}

describe('a code', () => {
  it('is there while an extension knocks, and says who', () => {
    expect([offers.view(), offers.current()]).toEqual([null, null]);
    offers.knock(firefox, false);
    const since = new Date();
    expect(offers.view()).toEqual({ ...firefox, since, code: expect.stringMatching(/^\w{4}-\w{4}$/) as string });
    expect(offers.current()?.code).toBe(code()?.replace('-', ''));
    knockFor(60_000);
    expect(offers.view()?.since).toEqual(since);
    vi.advanceTimersByTime(5999);
    expect(offers.view()).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(offers.view()).toBeNull();
  });

  it('stays the same for two minutes, whoever knocks, and is void then', () => {
    offers.knock(firefox, true);
    const [first, offer] = [code(), current()];
    knockFor(115_000, true);
    offers.knock({ ...firefox, browser: 'Chrome 156' }, true);
    expect(code()).toBe(first);
    vi.advanceTimersByTime(4999);
    expect(offers.current()).toBe(offer);
    vi.advanceTimersByTime(1);
    expect(offers.current()).toBeNull();
    expect(offers.view()).toMatchObject({ code: null });
    expect(offers.judge(offer, true)).toBe('gone');
  });

  it('that is void is followed by another only where somebody looks', () => {
    offers.knock(firefox, false);
    const first = code();
    knockFor(600_000);
    expect(code()).toBeNull();
    offers.knock(firefox, true);
    expect(code()).toMatch(/^\w{4}-\w{4}$/);
    expect(code()).not.toBe(first);
    const second = code();
    knockFor(600_000);
    isPageWatched = true;
    offers.knock(firefox, false);
    expect([null, first, second]).not.toContain(code());
  });

  it('is there again for whoever knocks after a silence, and the old one where it still counts', () => {
    offers.knock(firefox, false);
    const first = code();
    vi.advanceTimersByTime(30_000);
    expect(offers.view()).toBeNull();
    offers.knock(firefox, false);
    expect(code()).toBe(first);
    vi.advanceTimersByTime(300_000);
    offers.knock(firefox, false);
    expect(code()).not.toBe(first);
    expect(code()).toMatch(/^\w{4}-\w{4}$/);
  });

  it('counts no longer where the clock of the timers stood still', () => {
    offers.knock(firefox, false);
    const start = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => start + 120_000);
    expect(offers.current()).toBeNull();
  });

  it('is told of whenever it comes, changes or goes', () => {
    const since = (step: () => void) => {
      const before = changes;
      step();
      return changes > before;
    };
    expect(since(() => offers.knock(firefox, false))).toBe(true);
    expect(since(() => offers.judge(current(), true))).toBe(true);
    expect(since(() => offers.knock(firefox, false))).toBe(true);
    expect(since(() => vi.advanceTimersByTime(6000))).toBe(true);
    expect(since(() => vi.advanceTimersByTime(114_000))).toBe(true);
  });
});

describe('a try', () => {
  beforeEach(() => offers.knock(firefox, false));

  it('with the right code ends it: nobody else can use it, and nobody is shown it', () => {
    const offer = current();
    expect(offers.judge(offer, true)).toBe('right');
    expect([offers.view(), offers.current()]).toEqual([null, null]);
    expect(offers.judge(offer, true)).toBe('gone');
    expect(offers.judge(offer, false)).toBe('gone');
  });

  it('with a wrong code may be made five times, by whomever; the sixth makes it void', () => {
    const offer = current();
    for (let n = 0; n < 5; n += 1) expect(offers.judge(offer, false)).toBe('wrong');
    offers.knock({ ...firefox, origin: 'moz-extension://b' }, true);
    expect(offers.judge(offer, false)).toBe('void');
    expect(offers.current()).toBeNull();
    expect(offers.judge(offer, true)).toBe('gone');
  });

  it('is worth nothing for the code that came after it', () => {
    const old = current();
    offers.judge(old, true);
    offers.knock(firefox, true);
    expect(offers.judge(old, true)).toBe('gone');
    expect(offers.judge(old, false)).toBe('gone');
    for (let n = 0; n < 5; n += 1) expect(offers.judge(current(), false)).toBe('wrong');
    expect(offers.judge(current(), true)).toBe('right');
  });
});
