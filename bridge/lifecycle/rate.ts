/**
 * How many calls may start in a window of time: what Puter allows an account, kept here so that nobody runs into it. And
 * a pause after Puter said that it was too much all the same.
 */
export interface Rate {
  /** Milliseconds until the next call may start; 0: now. */
  waitMs(): number;
  started(): void;
  backOff(ms: number): void;
}

export function createRate(options: { calls: () => number; windowMs: number; now: () => number }): Rate {
  const { calls, windowMs, now } = options;
  // Oldest first; those before `first` have left the window. To take them out one by one would move all others.
  const starts: number[] = [];
  let first = 0;
  let pausedUntil = 0;

  return {
    waitMs() {
      const time = now();
      while ((starts[first] ?? time) <= time - windowMs) first += 1;
      if (first > starts.length / 2) {
        starts.splice(0, first);
        first = 0;
      }
      const index = starts.length - calls();
      const oldest = index < first ? undefined : starts[index];
      return Math.max(0, pausedUntil - time, oldest === undefined ? 0 : oldest + windowMs - time);
    },
    started: () => void starts.push(now()),
    backOff: (ms) => void (pausedUntil = Math.max(pausedUntil, now() + ms)),
  };
}
