import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { JournalRow } from './journal.ts';
import { openPrivateFile } from './private-folder.ts';
import { fileName, openStoreBeside } from './store.ts';

/** What was asked, as its owner reads it from the journal's own file, whether a bridge runs or not. */
export interface History {
  /** The latest that were kept, newest first. */
  latest(count: number): JournalRow[];
  find(id: string): JournalRow | null;
  /** Leaves no word on disk of what was asked and answered. What has an Idempotency-Key still makes no second call. */
  clear(): void;
  close(): void;
}

/** Null where there never was a journal. Throws as `openJournal` does, and SQLite's own error. */
export function openHistory(folder: string): History | null {
  if (!existsSync(join(folder, fileName))) return null;
  const store = openStoreBeside(openPrivateFile(folder, fileName));
  return {
    latest: (count) => store.asked.all(count) as unknown as JournalRow[],
    find: (id) => (store.find.get(id) ?? null) as unknown as JournalRow | null,
    clear() {
      store.database.exec('BEGIN IMMEDIATE');
      store.empty.run(Number.MAX_SAFE_INTEGER);
      store.dropEmptied.run();
      store.unask.run();
      // Else the words would stay for a while in the file beside it, where changes go first.
      store.database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    },
    close: () => store.database.close(),
  };
}
