import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startHeartbeat } from '../../../bridge/connection/heartbeat.ts';

const intervalMs = 1000;
let told: string[] = [];
let stoodStillMs = 0;
let heartbeat: ReturnType<typeof startHeartbeat>;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  stoodStillMs = 0;
  heartbeat = startHeartbeat({
    intervalMs,
    ping: () => told.push('ping'),
    giveUp: () => told.push('give up'),
    now: () => performance.now() + stoodStillMs,
  });
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

  it('gives up nobody for a time in which it stood still itself', () => {
    vi.advanceTimersByTime(intervalMs * 2);
    stoodStillMs = 5000;
    vi.advanceTimersByTime(intervalMs);
    expect(told).toEqual(['ping', 'ping', 'ping']);
    vi.advanceTimersByTime(intervalMs * 2);
    expect(told).toEqual(['ping', 'ping', 'ping', 'ping', 'give up']);
  });

  it('does nothing once it is stopped', () => {
    heartbeat.stop();
    vi.advanceTimersByTime(intervalMs * 10);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
