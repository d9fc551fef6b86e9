import type { JournalRow } from './row.ts';
import { bytesOf, freeOldest, sizeOf, type Store } from './store.ts';

/** How long what is finished is kept, and how much of it. What is open never goes. */
export interface Retention {
  /**
   * The oldest go where all together are too large, as many as that takes; of what has a key, its words alone. `added` was
   * just put in.
   */
  shrink(store: Store, added: readonly JournalRow[]): void;
  /** Something that had been put in changes its size. */
  countAnew(): void;
  /** Leaves nothing of what is over its time. */
  expire(store: Store): void;
}

export function createRetention(options: { ttlMs: number; maxKeptBytes: number; now: () => number }): Retention {
  const { ttlMs, maxKeptBytes, now } = options;
  /** What was counted, and stays right for as long as nobody else changes that store: `history clear` does. */
  let count: Count | null = null;
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
    countAnew: () => void (count = null),
    shrink(store, added) {
      const version = versionOf(store);
      if (count?.store === store && count.version === version) count.keptBytes += finishedBytes(added);
      else count = { store, version, keptBytes: sizeOf(store), goneBefore: 0 };
      if (count.keptBytes <= maxKeptBytes) return;
      const { freed, endedAt } = freeOldest(store, count.keptBytes - maxKeptBytes, count.goneBefore);
      count.keptBytes -= freed;
      count.goneBefore = endedAt;
    },
    expire({ expire, database }) {
      // What is over its time is less to keep, and by a clock that was set back something may end before what has gone.
      count = null;
      const { changes } = expire.run(believableTime() - ttlMs);
      // Else the words would stay for a while in the file beside it, where changes go first.
      if (changes > 0) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
  };
}

interface Count {
  store: Store;
  version: number;
  keptBytes: number;
  /** What ended before that has gone already, so that nobody has to look through it again. */
  goneBefore: number;
}

const finishedBytes = (rows: readonly JournalRow[]): number =>
  rows.reduce((sum, row) => (row.finishedAt === null ? sum : sum + bytesOf(row)), 0);
const versionOf = ({ version }: Store): number => (version.get() as { data_version: number }).data_version;
