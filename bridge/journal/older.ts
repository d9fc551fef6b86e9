import type { JournalRow } from './row.ts';
import { putAll, type Question, type Store } from './store.ts';

/** What was on disk before it failed: it can often still be read. */
export interface Older {
  ask(question: Question): ReturnType<Question>;
  close(): void;
}

/** Lets what is open in `from` go on in `to`, where it can be read at all. */
export function goOn(from: Store, to: Store, onTrouble: (error: unknown) => void): Older {
  const isCarriedOver = carryOver();

  function carryOver(): boolean {
    try {
      putAll(to, from.unfinished.all() as unknown as JournalRow[]);
      return true;
    } catch (error) {
      onTrouble(error);
      return false;
    }
  }

  return {
    ask(question) {
      try {
        const row = question(from);
        // What was open when the disk failed went on in the new store.
        return isCarriedOver && row?.['finishedAt'] === null ? undefined : row;
      } catch {
        return undefined;
      }
    },
    close: () => void (from.database.isOpen && from.database.close()),
  };
}
