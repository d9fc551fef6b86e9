import { openJournal, type Journal } from '../../../bridge/journal/journal.ts';

/** A journal that keeps all of it for long, and throws where it would go on in memory, unless somebody listens. */
export const openSoundJournal = (folder: string, onTrouble: (error: unknown) => void = fail): Journal =>
  openJournal({ folder, ttlMs: 1e12, maxKeptBytes: 1e12, maxFileBytes: 1e12, now: Date.now, onTrouble });

function fail(error: unknown): never {
  throw error;
}
