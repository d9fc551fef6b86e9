import { DatabaseSync } from 'node:sqlite';

import { openPrivateFile } from './private-folder.ts';
import { isBusy } from './store.ts';

/** Another bridge has the folder. */
export class JournalLockedError extends Error {
  override readonly name = 'JournalLockedError';
}

/**
 * Keeps other bridges out of the folder until what it returns is called, or the process ends in whatever way. Beside the
 * journal, so that its owner can read that while the bridge runs. Throws `JournalLockedError` where it is still locked
 * after `waitMs`.
 */
export function lockFolder(folder: string, waitMs = 0): () => void {
  const database = new DatabaseSync(openPrivateFile(folder, 'bridge.lock'), { timeout: waitMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return () => void (database.isOpen && database.close());
  } catch (error) {
    database.close();
    if (isBusy(error)) throw new JournalLockedError('Another bridge uses this state folder.', { cause: error });
    throw error;
  }
}
