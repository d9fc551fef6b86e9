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

/** So much of it is cleared at once. */
const pieceBytes = 4e6;

/** Leaves the file to others afterwards, for as long as it was kept from them. */
function takeTurn(run: () => unknown): void {
  const start = performance.now();
  run();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, performance.now() - start);
}

/** Null where there never was a journal. Throws as `openJournal` does, and SQLite's own error. */
export function openHistory(folder: string): History | null {
  if (!existsSync(join(folder, fileName))) return null;
  const store = openStoreBeside(openPrivateFile(folder, fileName));
  return {
    latest: (count) => store.asked.all(count) as unknown as JournalRow[],
    find: (id) => (store.find.get(id) ?? null) as unknown as JournalRow | null,
    clear() {
      const { total } = store.size.get() as { total: number | null };
      // In pieces: a bridge that has to wait for too long takes its disk for broken.
      for (let left = total ?? 0; left >= 0; left -= pieceBytes) takeTurn(() => store.empty.run(pieceBytes));
      for (const step of [store.dropEmptied, store.unask]) takeTurn(() => step.run());
      // Else the words would stay for a while in the file beside it, where changes go first.
      store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    close: () => store.database.close(),
  };
}
