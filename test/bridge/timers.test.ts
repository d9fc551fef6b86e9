import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createTimers, type StartTimer } from '../../bridge/timers.ts';

describe('timers', () => {
  let startTimer: StartTimer;
  let ended: string[];
  const start = (ms: number, name: string) => startTimer(ms, () => ended.push(name));

  beforeEach(() => {
    vi.useFakeTimers();
    startTimer = createTimers();
    ended = [];
  });
  afterEach(() => vi.useRealTimers());

  it('end in the order of their times, whatever their lengths', () => {
    start(30, 'long');
    start(10, 'first');
    vi.advanceTimersByTime(5);
    start(10, 'second');
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(6);
    expect(ended).toEqual(['first']);
    vi.advanceTimersByTime(30);
    expect(ended).toEqual(['first', 'second', 'long']);
  });

  it('do not end once they are stopped, whichever of a row it is and however often', () => {
    const [first, second, third] = ['first', 'second', 'third', 'fourth'].map((name) => start(10, name));
    second?.stop();
    second?.stop();
    first?.stop();
    third?.stop();
    vi.advanceTimersByTime(20);
    expect(ended).toEqual(['fourth']);
  });

  it('do not end twice, and one that has ended can be stopped', () => {
    const timer = start(10, 'it');
    vi.advanceTimersByTime(20);
    timer.stop();
    start(10, 'another');
    vi.advanceTimersByTime(100);
    expect(ended).toEqual(['it', 'another']);
  });

  it('stop one another in the very turn in which both would end', () => {
    startTimer(10, () => second.stop());
    const second = start(10, 'second');
    vi.advanceTimersByTime(20);
    expect(ended).toEqual([]);
  });

  it('go on where one of them fails', () => {
    startTimer(10, () => {
      throw new Error('It fails.');
    });
    start(10, 'second');
    expect(() => vi.advanceTimersByTime(20)).toThrow('It fails.');
    vi.advanceTimersByTime(20);
    expect(ended).toEqual(['second']);
  });

  it('never ask Node for less than a millisecond, which it warns of, where one takes until the next is over', () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    startTimer(10, () => vi.advanceTimersByTime(5));
    vi.advanceTimersByTime(2);
    start(10, 'second');
    vi.advanceTimersByTime(20);
    expect(ended).toEqual(['second']);
    for (const [, ms] of set.mock.calls) expect(ms).toBeGreaterThanOrEqual(1);
    set.mockRestore();
  });

  it('let what came meanwhile be read first', () => {
    const timer = start(10, 'it');
    // As where the process was stopped: the timer is over, and what was to be read is read behind it.
    setTimeout(() => timer.stop(), 10);
    vi.advanceTimersByTime(20);
    expect(ended).toEqual([]);
  });

  it('let it be read first also for one whose time is over only while it is read', () => {
    start(10, 'first');
    vi.advanceTimersByTime(2);
    start(10, 'second');
    setTimeout(() => {
      const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5);
      setImmediate(() => now.mockRestore());
    }, 8);
    vi.advanceTimersByTime(9);
    expect(ended).toEqual(['first']);
    vi.advanceTimersByTime(9);
    expect(ended).toEqual(['first', 'second']);
  });

  it('share one of Node’s for each length, and leave none behind when nobody waits', () => {
    const timers = Array.from({ length: 1000 }, (_, at) => start(10, `${at}`));
    expect(vi.getTimerCount()).toBe(1);
    for (const timer of timers) timer.stop();
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
    expect(ended).toEqual([]);
  });

  it('of lengths that callers choose leave few behind, and none of those that still run', () => {
    const [kept] = Array.from({ length: 1000 }, (_, at) => {
      const timer = start(60_000 + at, `${at}`);
      if (at > 0) timer.stop();
      return timer;
    });
    expect(vi.getTimerCount()).toBeLessThan(50);
    vi.advanceTimersByTime(120_000);
    expect(ended).toEqual(['0']);
    kept?.stop();
  });
});
