import type { Journal } from '../../../bridge/journal/journal.ts';

/** Stands in the place of bridge/journal/journal.ts, to measure what the journal costs. */

export class JournalLockedError extends Error {}

export const openJournal = (): Journal => ({
  insert() {},
  dispatched() {},
  requeued() {},
  flush() {},
  settled: () => Promise.resolve(),
  finished() {},
  find: () => null,
  findByKey: () => null,
  unfinished: () => [],
  latest: () => [],
  condition: { trouble: null, wasPutAside: false, unreadable: 0 },
  close() {},
});
