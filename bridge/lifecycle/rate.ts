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
  // Oldest first, and never more than a window holds.
  const starts: number[] = [];
  let pausedUntil = 0;

  return {
    waitMs() {
      const time = now();
      while (starts.length > 0 && (starts[0] ?? 0) <= time - windowMs) starts.shift();
      const oldest = starts[starts.length - calls()];
      return Math.max(0, pausedUntil - time, oldest === undefined ? 0 : oldest + windowMs - time);
    },
    started: () => void starts.push(now()),
    backOff: (ms) => void (pausedUntil = Math.max(pausedUntil, now() + ms)),
  };
}
