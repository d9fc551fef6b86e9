import { openJournal, type Journal } from '../../../bridge/journal/journal.ts';

/** A journal that keeps all of it for long, and throws where it would go on in memory. */
export const openSoundJournal = (folder: string): Journal =>
  openJournal({
    ...{ folder, ttlMs: 1e12, maxKeptBytes: 1e12, maxFileBytes: 1e12, now: Date.now },
    onTrouble(error) {
      throw error;
    },
  });
