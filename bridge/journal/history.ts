import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { JournalLockedError, lockFolder } from './lock.ts';
import { openPrivateFile } from './private-folder.ts';
import { redoBytes, replayRedoLog } from './redo-log.ts';
import type { JournalRow } from './row.ts';
import { fileName, freeOldest, openStoreBeside, sizeOf, type Store } from './store.ts';

/** What was asked, as its owner reads it from the journal's own file, whether a bridge runs or not. */
export interface History {
  /** The latest that were kept, newest first. */
  latest(count: number): JournalRow[];
  find(id: string): JournalRow | null;
  /** Leaves no word on disk of what was asked and answered. What has an Idempotency-Key still makes no second call. */
  clear(): void;
  close(): void;
}

/** How often to look whether a bridge has written what it will, in milliseconds, and how many times at most. */
const look = { everyMs: 20, times: 100 };

/** So much of it is cleared at once. */
const pieceBytes = 4e6;

/** Leaves the file to others afterwards, for as long as it was kept from them. */
function takeTurn(run: () => unknown): void {
  const start = performance.now();
  run();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, performance.now() - start);
}

/** What the database lacks: a bridge that runs puts it in within a moment, and what a killed one left is put in here. */
async function takeIn(folder: string, store: Store): Promise<void> {
  const unlock = lockUnlessLocked(folder);
  if (!unlock) return waitForBridge(folder);
  try {
    replayRedoLog(folder, store);
  } finally {
    unlock();
  }
}

/** Null where a bridge has it. */
function lockUnlessLocked(folder: string): (() => void) | null {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (error instanceof JournalLockedError) return null;
    throw error;
  }
}

async function waitForBridge(folder: string): Promise<void> {
  let before = redoBytes(folder);
  for (let looks = 0; before > 0 && looks < look.times; looks += 1) {
    await delay(look.everyMs);
    const bytes = redoBytes(folder);
    if (bytes < before) return;
    before = bytes;
  }
}

/** Null where there never was a journal. Rejects as `openJournal` throws, and with SQLite's own error. */
export async function openHistory(folder: string): Promise<History | null> {
  if (!existsSync(join(folder, fileName))) return null;
  const store = openStoreBeside(openPrivateFile(folder, fileName));
  await takeIn(folder, store);
  return {
    latest: (count) => store.asked.all(count) as unknown as JournalRow[],
    find: (id) => (store.find.get(id) ?? null) as unknown as JournalRow | null,
    clear() {
      // In pieces: a bridge that has to wait for too long takes its disk for broken.
      for (let left = sizeOf(store); left >= 0; left -= pieceBytes) takeTurn(() => freeOldest(store, pieceBytes, 0));
      takeTurn(() => store.unask.run());
      // Else the words would stay for a while in the file beside it, where changes go first.
      store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    close: () => store.database.close(),
  };
}
