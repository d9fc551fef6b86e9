import { createTransientMap } from '#shared/transient-map.ts';

import type { JournalChange, JournalRow } from './row.ts';

/** Rows that the database lacks, in the order in which they came. */
export interface Backlog {
  /** `isNew`: nothing of it was ever written. */
  put(row: JournalRow, isNew?: boolean): void;
  get(id: string): JournalRow | undefined;
  values(): Iterable<JournalRow>;
  /** Writes what is new since it was asked last, if anything is: as one change for each row. */
  write(append: (changes: Iterable<JournalChange>) => void): void;
  /** Whether nothing is new since. */
  isWritten(): boolean;
  /** The database has them now. */
  remove(rows: readonly JournalRow[]): void;
  readonly size: number;
}

export function createBacklog(): Backlog {
  const rows = createTransientMap<JournalRow>();
  let fresh = new Map<string, JournalChange>();

  return {
    put(row, isNew = false) {
      // What was asked is most of a row, and never changes. All else stands in each line, so that the last one is enough.
      const isWhole = isNew || fresh.get(row.id)?.request !== undefined;
      fresh.set(row.id, isWhole ? row : { ...row, request: undefined });
      rows.set(row.id, row);
    },
    get: rows.get,
    values: rows.values,
    write(append) {
      if (fresh.size === 0) return;
      append(fresh.values());
      // Not the same one again, which would keep hold of what it was.
      fresh = new Map();
    },
    isWritten: () => fresh.size === 0,
    remove(gone) {
      for (const { id } of gone) rows.delete(id);
    },
    get size() {
      return rows.size;
    },
  };
}
