import { createTransientMap } from '#shared/transient-map.ts';

import { rowBytes, type JournalChange, type JournalRow } from './row.ts';

/** Rows that the database lacks, in the order in which they came. */
export interface Backlog {
  /** One that is new; it is kept as it is, and `change` changes it. */
  add(row: JournalRow): void;
  /** One of them, or one that the database has, which is kept from now on. */
  change(row: JournalRow, change: Partial<JournalRow>): void;
  get(id: string): JournalRow | undefined;
  hasKey(scope: string, key: string): boolean;
  /** So many of the first that they make up so many characters, or as many as there are. */
  first(chars: number): JournalRow[];
  /** Writes what is new since it was asked last, if anything is: as one change for each row. */
  write(append: (changes: readonly JournalChange[]) => void): void;
  /** Whether nothing is new since. */
  isWritten(): boolean;
  /** The database has them now. */
  remove(rows: readonly JournalRow[]): void;
  readonly size: number;
  /** Of all of it. */
  readonly chars: number;
}

interface Pending {
  row: JournalRow;
  /** It changed since it was written. */
  isFresh: boolean;
  /** What was asked stands in a line, or in the database. */
  isAskedWritten: boolean;
}

/** `onFresh`: something is new, for the first time since it was written. */
export function createBacklog(onFresh: () => void): Backlog {
  const rows = createTransientMap<Pending>();
  /** The latest of each Idempotency-Key. */
  const idsByKey = createTransientMap<string>();
  let fresh: Pending[] = [];
  let chars = 0;

  function keep(row: JournalRow, isAskedWritten: boolean): Pending {
    const pending = { row, isFresh: false, isAskedWritten };
    rows.set(row.id, pending);
    if (row.key !== null) idsByKey.set(nameOf(row.scope, row.key), row.id);
    chars += charsOf(row);
    return pending;
  }

  function refresh(pending: Pending): void {
    if (pending.isFresh) return;
    pending.isFresh = true;
    if (fresh.push(pending) === 1) onFresh();
  }

  return {
    add: (row) => refresh(keep(row, false)),
    change(row, change) {
      const pending = rows.get(row.id) ?? keep(row, true);
      chars -= charsOf(pending.row);
      Object.assign(pending.row, change);
      chars += charsOf(pending.row);
      refresh(pending);
    },
    get: (id) => rows.get(id)?.row,
    hasKey: (scope, key) => idsByKey.has(nameOf(scope, key)),
    first(atOnce) {
      const first: JournalRow[] = [];
      let left = atOnce;
      for (const { row } of rows.values()) {
        if (left <= 0) break;
        first.push(row);
        left -= charsOf(row);
      }
      return first;
    },
    write(append) {
      if (fresh.length === 0) return;
      const changed = fresh;
      append(changed.map(toChange));
      fresh = [];
      for (const pending of changed) [pending.isFresh, pending.isAskedWritten] = [false, true];
    },
    isWritten: () => fresh.length === 0,
    remove(gone) {
      for (const row of gone) {
        const { id, scope, key } = row;
        chars -= charsOf(row);
        rows.delete(id);
        if (key !== null && idsByKey.get(nameOf(scope, key)) === id) idsByKey.delete(nameOf(scope, key));
      }
    },
    get size() {
      return rows.size;
    },
    get chars() {
      return chars;
    },
  };
}

/** What was asked is most of a row, and never changes. All else stands in each line, so that the last one is enough. */
const toChange = ({ row, isAskedWritten }: Pending): JournalChange =>
  isAskedWritten ? { ...row, request: undefined } : row;

const nameOf = (scope: string, key: string): string => `${scope}\n${key}`;

/** Near enough to what the database counts, for what only waits for it. */
const charsOf = ({ request, outcome }: JournalRow): number =>
  rowBytes + (request?.length ?? 0) + (outcome?.length ?? 0);
