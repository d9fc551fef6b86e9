import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startHeartbeat } from '../../../bridge/connection/heartbeat.ts';

const intervalMs = 1000;
let told: string[] = [];
let heartbeat: ReturnType<typeof startHeartbeat>;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  heartbeat = startHeartbeat({ intervalMs, ping: () => told.push('ping'), giveUp: () => told.push('give up') });
});
afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});

describe('the heartbeat', () => {
  it('pings once per interval, for as long as the peer answers', () => {
    for (let beat = 0; beat < 10; beat += 1) {
      vi.advanceTimersByTime(intervalMs);
      heartbeat.heard();
    }
    expect(told).toEqual(Array.from({ length: 10 }, () => 'ping'));
  });

  it('gives up a peer that was silent through two pings', () => {
    vi.advanceTimersByTime(intervalMs * 3 - 1);
    expect(told).toEqual(['ping', 'ping']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['ping', 'ping', 'give up']);
  });

  it('begins to count anew with every sign of life', () => {
    vi.advanceTimersByTime(intervalMs * 2);
    heartbeat.heard();
    vi.advanceTimersByTime(intervalMs * 2);
    expect(told).toEqual(['ping', 'ping', 'ping', 'ping']);
    vi.advanceTimersByTime(intervalMs);
    expect(told.at(-1)).toBe('give up');
  });

  it('does nothing once it is stopped', () => {
    heartbeat.stop();
    vi.advanceTimersByTime(intervalMs * 10);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
