/** A row of the journal: one chat, by the id that its caller was told. Times are milliseconds since 1970. */
export interface JournalRow {
  id: string;
  status: 'queued' | 'dispatched' | 'success' | 'error';
  /** Who may fetch it, and whose Idempotency-Key it bears. */
  scope: string;
  key: string | null;
  /** Of the body, to tell a repetition from another request. */
  fingerprint: string | null;
  createdAt: number;
  finishedAt: number | null;
  /** Of the extension that its call was given to. */
  profile: string | null;
  instance: string | null;
  /** JSON: the request where history is on, and what it came to; null where that is not kept. */
  request: string | null;
  outcome: string | null;
}

/** What a row takes beside its texts. */
export const rowBytes = 512;

/** A row as it is now; undefined: what was asked stands in an earlier one. */
export type JournalChange = Omit<JournalRow, 'request'> & { request?: string | null | undefined };

export type JournalHead = Pick<JournalRow, 'id' | 'status' | 'scope' | 'createdAt' | 'finishedAt'>;
