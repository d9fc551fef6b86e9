/**
 * How many calls may start in a window of time: what Puter allows an account, kept here so that nobody runs into it. And
 * a pause after Puter said that it was too much all the same.
 */
export interface Rate {
  /** Milliseconds until the next of so many calls a window may start; 0: now. */
  waitMs(calls: number): number;
  started(): void;
  backOff(ms: number): void;
  /** Nothing of what was started or said matters any more. */
  isOver(): boolean;
}

export function createRate({ windowMs, now }: { windowMs: number; now: () => number }): Rate {
  // Oldest first, from `first` on: to take them out one by one would move all others each time.
  let starts: number[] = [];
  let first = 0;
  let pausedUntil = 0;

  function forgetBefore(time: number): void {
    while (first < starts.length && (starts[first] ?? 0) <= time) first += 1;
    if (first > starts.length / 2) [starts, first] = [starts.slice(first), 0];
  }

  return {
    waitMs(calls) {
      const time = now();
      forgetBefore(time - windowMs);
      const at = starts.length - calls;
      const oldest = at < first ? undefined : starts[at];
      return Math.max(0, pausedUntil - time, oldest === undefined ? 0 : oldest + windowMs - time);
    },
    started: () => void starts.push(now()),
    backOff: (ms) => void (pausedUntil = Math.max(pausedUntil, now() + ms)),
    isOver() {
      forgetBefore(now() - windowMs);
      return starts.length === first && pausedUntil <= now();
    },
  };
}
