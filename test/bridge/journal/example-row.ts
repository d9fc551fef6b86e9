import type { JournalRow } from '../../../bridge/journal/row.ts';

/** As it is when it is asked, but for `change`. */
export const createRow = (id: string, change: Partial<JournalRow> = {}): JournalRow => ({
  ...{ id, status: 'queued', scope: 'me', key: null, fingerprint: null, createdAt: 1, finishedAt: null },
  ...{ profile: null, instance: null, request: null, outcome: null },
  ...change,
});
