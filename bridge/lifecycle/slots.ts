import type { StartTimer, Timer } from '../timers.ts';
import { createRate, type Rate } from './rate.ts';

/**
 * Which calls occupy which connection. A slot belongs to the extension's lane, not to the request: a cancelled
 * call keeps its slot until the extension says that the lane is free, or until `cancelGraceMs` is over.
 */
export interface Slots<P extends Loaded> {
  peers(): P[];
  find(instance: string): P | undefined;
  add(peer: P): void;
  remove(peer: P): void;
  take(peer: P, requestId: string): void;
  /** Another call of its account began, and not one that came back with its line. */
  started(peer: P): void;
  free(peer: P, requestId: string): void;
  /** Frees a slot later unless the peer does it first. False where there is no such slot. */
  expire(peer: P, requestId: string): boolean;
  taken(peer: P): number;
  /** Of those that take any, who should have the next call; else how long to wait, or Infinity until a lane is free. */
  choose(takes: (peer: P) => boolean): { peer: P } | { waitMs: number };
  /** Puter said that it was too much. */
  backOff(peer: P, ms: number): void;
}

interface Loaded {
  readonly instance: string;
  /** Whose account it calls with, also over the next line. */
  readonly profile: string;
  readonly lanes: number;
  /** Calls that Puter lets its account start within `rateWindowMs`. */
  readonly rate: number;
}

/** Puter counts calls in windows of ten seconds. */
const rateWindowMs = 10_000;

export function createSlots<P extends Loaded>(options: {
  cancelGraceMs: number;
  startTimer: StartTimer;
  onFree: () => void;
  now: () => number;
}): Slots<P> {
  const { cancelGraceMs, startTimer, onFree, now } = options;
  const slots = new Map<P, Map<string, Timer | undefined>>();
  /** By profile: Puter goes on counting where a line breaks and comes back. */
  const rates = new Map<string, Rate>();

  function rateOf({ profile }: P): Rate {
    let rate = rates.get(profile);
    if (!rate) rates.set(profile, (rate = createRate({ windowMs: rateWindowMs, now })));
    return rate;
  }

  function free(peer: P, requestId: string): void {
    const taken = slots.get(peer);
    taken?.get(requestId)?.stop();
    taken?.delete(requestId);
  }

  const taken = (peer: P): number => slots.get(peer)?.size ?? 0;
  const freeLanes = (peer: P): number => peer.lanes - taken(peer);

  return {
    peers: () => [...slots.keys()],
    find(instance) {
      for (const peer of slots.keys()) if (peer.instance === instance) return peer;
      return undefined;
    },
    add(peer) {
      slots.set(peer, new Map());
      for (const [profile, rate] of rates) if (rate.isOver()) rates.delete(profile);
    },
    remove(peer) {
      for (const timer of slots.get(peer)?.values() ?? []) timer?.stop();
      slots.delete(peer);
    },
    take: (peer, requestId) => void slots.get(peer)?.set(requestId, undefined),
    started: (peer) => rateOf(peer).started(),
    free,
    expire(peer, requestId) {
      const taken = slots.get(peer);
      if (!taken?.has(requestId)) return false;
      const timer = startTimer(cancelGraceMs, () => {
        free(peer, requestId);
        onFree();
      });
      taken.set(requestId, timer);
      return true;
    },
    taken,
    choose(takes) {
      let best: P | undefined;
      let waitMs = Infinity;
      for (const peer of slots.keys()) {
        if (!takes(peer) || freeLanes(peer) <= 0) continue;
        const wait = rateOf(peer).waitMs(peer.rate);
        if (wait > 0) waitMs = Math.min(waitMs, wait);
        else if (!best || freeLanes(peer) > freeLanes(best)) best = peer;
      }
      return best ? { peer: best } : { waitMs };
    },
    backOff: (peer, ms) => rateOf(peer).backOff(ms),
  };
}
