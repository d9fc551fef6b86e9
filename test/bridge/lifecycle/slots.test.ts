import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createSlots, type Slots } from '../../../bridge/lifecycle/slots.ts';
import { countTimers } from '../counted-timers.ts';

const cancelGraceMs = 100;
let freed = 0;
let slots: Slots<TestPeer>;
let timers: ReturnType<typeof countTimers>;
let time = 0;

interface TestPeer {
  instance: string;
  profile: string;
  lanes: number;
  rate: number;
}
const peer: TestPeer = { instance: 'p', profile: 'P', lanes: 3, rate: 2 };
const stranger: TestPeer = { instance: 's', profile: 'S', lanes: 1, rate: 1 };
const other: TestPeer = { instance: 'o', profile: 'O', lanes: 5, rate: 2 };

beforeEach(() => {
  vi.useFakeTimers();
  freed = 0;
  time = 0;
  timers = countTimers();
  const { startTimer } = timers;
  slots = createSlots<TestPeer>({ cancelGraceMs, startTimer, onFree: () => (freed += 1), now: () => time });
  slots.add(peer);
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a slot', () => {
  it('is taken once per request, and free again when it is given back', () => {
    slots.take(peer, 'r1');
    slots.take(peer, 'r1');
    slots.take(peer, 'r2');
    expect(slots.taken(peer)).toBe(2);
    slots.free(peer, 'r1');
    slots.free(peer, 'r1');
    expect(slots.taken(peer)).toBe(1);
  });

  it('belongs to one peer only', () => {
    slots.add(other);
    slots.take(peer, 'r1');
    slots.free(other, 'r1');
    expect([slots.taken(peer), slots.taken(other)]).toEqual([1, 0]);
  });

  it('that expires is kept for the grace and then tells so', () => {
    slots.take(peer, 'r1');
    expect(slots.expire(peer, 'r1')).toBe(true);
    vi.advanceTimersByTime(cancelGraceMs - 1);
    expect([slots.taken(peer), freed]).toEqual([1, 0]);
    // In the faked clock, the immediate that follows a timer comes a millisecond after it.
    vi.advanceTimersByTime(2);
    expect([slots.taken(peer), freed]).toEqual([0, 1]);
  });

  it('that is given back while it expires tells nothing later', () => {
    slots.take(peer, 'r1');
    slots.expire(peer, 'r1');
    slots.free(peer, 'r1');
    vi.advanceTimersByTime(cancelGraceMs * 2);
    expect([slots.taken(peer), freed, timers.left()]).toEqual([0, 0, 0]);
  });

  it('that was never taken cannot expire', () => {
    expect(slots.expire(peer, 'r1')).toBe(false);
    expect(slots.expire(stranger, 'r1')).toBe(false);
    expect(timers.left()).toBe(0);
  });
});

describe('a peer', () => {
  it('that is gone takes its slots and their timers with it', () => {
    slots.take(peer, 'r1');
    slots.expire(peer, 'r1');
    slots.remove(peer);
    expect([slots.peers(), slots.taken(peer), timers.left()]).toEqual([[], 0, 0]);
  });

  it('that is not there takes no slot', () => {
    slots.take(stranger, 'r1');
    slots.free(stranger, 'r1');
    slots.remove(stranger);
    expect([slots.peers(), slots.taken(stranger)]).toEqual([[peer], 0]);
  });
});

describe('the next call', () => {
  const any = () => true;
  const only = (wanted: TestPeer) => (it: TestPeer) => it === wanted;

  it('goes to the peer with the most free lanes', () => {
    slots.add(other);
    expect(slots.choose(any)).toEqual({ peer: other });
    for (const id of ['a', 'b']) slots.take(other, id);
    slots.free(other, 'a');
    expect(slots.choose(only(peer))).toEqual({ peer });
  });

  it('waits for a lane without end where all are taken', () => {
    for (const id of ['a', 'b', 'c']) slots.take(peer, id);
    expect(slots.choose(only(peer))).toEqual({ waitMs: Infinity });
  });

  it('keeps to the rate of each peer, and goes elsewhere meanwhile', () => {
    slots.add(other);
    for (const _ of ['a', 'b']) slots.started(other);
    expect(slots.choose(any)).toEqual({ peer });
    expect(slots.choose(only(other))).toEqual({ waitMs: 10_000 });
    time = 10_000;
    expect(slots.choose(only(other))).toEqual({ peer: other });
  });

  it('leaves a peer alone for as long as Puter said it was too much', () => {
    slots.backOff(peer, 5000);
    expect(slots.choose(only(peer))).toEqual({ waitMs: 5000 });
    time = 5000;
    expect(slots.choose(only(peer))).toEqual({ peer });
  });

  it('keeps to both also where the line broke and the same profile is back, with another background page or not', () => {
    for (const _ of ['a', 'b']) slots.started(peer);
    slots.remove(peer);
    const back = { ...peer, instance: 'another' };
    slots.add(back);
    expect(slots.choose(only(back))).toEqual({ waitMs: 10_000 });
    slots.backOff(peer, 12_000);
    expect(slots.choose(only(back))).toEqual({ waitMs: 12_000 });
    time = 12_000;
    expect(slots.choose(only(back))).toEqual({ peer: back });
  });
});
