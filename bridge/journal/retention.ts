import type { Store } from './store.ts';

/** How long what is finished is kept, and how much of it. What is open never goes. */
export interface Retention {
  grow(bytes: number): void;
  /** So much came that it is time to `shrink`, which looks at every row. */
  isDue(): boolean;
  /** The oldest go where all together are too large; of what has a key, its words alone. */
  shrink(store: Store): void;
  /** Leaves nothing of what is over its time. */
  expire(store: Store): void;
}

export function createRetention(options: { ttlMs: number; maxKeptBytes: number; now: () => number }): Retention {
  const { ttlMs, maxKeptBytes, now } = options;
  let grownBytes = 0;
  let last = { wall: now(), uptime: performance.now() };

  /**
   * What was paid for must not go because the clock is a day ahead for a moment. So it is believed only as far as time
   * went by here since it was last looked at: a leap, true or false, counts once it has lasted from one look to the next.
   */
  function believableTime(): number {
    const seen = { wall: now(), uptime: performance.now() };
    const time = Math.min(seen.wall, last.wall + seen.uptime - last.uptime);
    last = seen;
    return time;
  }

  return {
    grow: (bytes) => void (grownBytes += bytes),
    isDue: () => grownBytes > maxKeptBytes / 10,
    shrink({ size, empty, dropEmptied }) {
      grownBytes = 0;
      const { total } = size.get() as { total: number | null };
      if ((total ?? 0) <= maxKeptBytes) return;
      empty.run((total ?? 0) - maxKeptBytes);
      dropEmptied.run();
    },
    expire({ expire, database }) {
      const { changes } = expire.run(believableTime() - ttlMs);
      // Else the words would stay for a while in the file beside it, where changes go first.
      if (changes > 0) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
  };
}
