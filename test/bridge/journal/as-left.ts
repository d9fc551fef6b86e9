import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Journal } from '../../../bridge/journal/journal.ts';
import { openSoundJournal } from './sound-journal.ts';

/** Looks at what is on disk at this moment as a bridge would that was started after the one that has it was killed. */
export function asLeft<T>(folder: string, look: (journal: Journal) => T): T {
  const copy = mkdtempSync(join(tmpdir(), 'as-left-'));
  cpSync(folder, copy, { recursive: true });
  const journal = openSoundJournal(copy);
  try {
    return look(journal);
  } finally {
    journal.close();
    rmSync(copy, { recursive: true });
  }
}
