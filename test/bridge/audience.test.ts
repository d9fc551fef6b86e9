import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createAudience, type Audience } from '../../bridge/audience.ts';

let audience: Audience;
/** Whether somebody looked, each time that this may have changed. */
let told: boolean[];
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  audience = createAudience({ onChange: () => told.push(audience.watched()) });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('somebody looks', () => {
  it('for ten seconds after the last look', () => {
    expect(audience.watched()).toBe(false);
    audience.look();
    vi.advanceTimersByTime(9999);
    audience.look();
    vi.advanceTimersByTime(9999);
    expect(told).toEqual([true, true]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([true, true, false]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('for as long as anybody follows', () => {
    const [one, two] = [audience.follow(), audience.follow()];
    one();
    vi.advanceTimersByTime(60_000);
    expect(audience.watched()).toBe(true);
    two();
    expect(told).toEqual([true, true, true, false]);
  });

  it('after the last follower went where there was a look just before', () => {
    const stop = audience.follow();
    audience.look();
    stop();
    expect(audience.watched()).toBe(true);
    vi.advanceTimersByTime(10_000);
    expect(told.at(-1)).toBe(false);
  });
});
