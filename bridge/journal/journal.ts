import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

import { openPrivateFile, openPrivateFolder } from './private-folder.ts';
import { migrate, NewerJournalError } from './schema.ts';

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
  /** JSON: the request where history is on, and what it came to. */
  request: string | null;
  outcome: string | null;
}

/** What must survive a crash: which calls went out, and what they came to. */
export interface Journal {
  insert(row: Pick<JournalRow, 'id' | 'scope' | 'key' | 'fingerprint' | 'createdAt' | 'request'>): void;
  /** On disk before it returns, so that a call which may have gone out is never sent again. */
  dispatched(id: string, holder: { profile: string; instance: string }): void;
  /** Certainly never started: back in the queue. */
  requeued(id: string): void;
  finished(id: string, status: 'success' | 'error', outcome: string, at: number): void;
  find(id: string): JournalRow | null;
  findByKey(scope: string, key: string): JournalRow | null;
  /** What an earlier run of the bridge left open. */
  unfinished(): JournalRow[];
  /** The latest, newest first. */
  latest(count: number): JournalRow[];
  /** Why what is written now is lost with the process; null where it is safe on disk. */
  readonly trouble: string | null;
  close(): void;
}

/** Another bridge has it open. */
export class JournalLockedError extends Error {
  override readonly name = 'JournalLockedError';
}

const fileName = 'journal.db';

/**
 * Opens the journal in `folder`, which is made where it is missing. Where the disk fails, now or later, it goes on in
 * memory and says so. Throws `JournalLockedError` where another bridge has it, `InsecureFolderError` where other users
 * have a way in, and `NewerJournalError` where a newer bridge wrote it.
 */
export function openJournal(options: {
  folder: string;
  ttlMs: number;
  /** Characters of all outcomes together. */
  maxChars: number;
  /** The file grows no further, whatever else fails. */
  maxBytes: number;
  now: () => number;
  onTrouble: (error: unknown) => void;
}): Journal {
  const { folder, ttlMs, maxChars, maxBytes, now, onTrouble } = options;
  let trouble: string | null = null;
  let store = openOrFallBack();
  // What was on disk before the disk failed can often still be read.
  let older: Store | null = null;
  let writes = 0;

  function openOrFallBack(): Store {
    try {
      openPrivateFolder(folder);
      return openFile(openPrivateFile(folder, fileName), maxBytes, onTrouble);
    } catch (error) {
      if (isOurs(error)) throw error;
      return fallBack(error);
    }
  }

  function fallBack(error: unknown): Store {
    trouble = error instanceof Error ? error.message : String(error);
    onTrouble(new Error(`Nothing can be kept in ${folder}: answers are lost with the bridge.`, { cause: error }));
    return prepare(new DatabaseSync(':memory:'));
  }

  function write(run: (store: Store) => void): void {
    try {
      run(store);
    } catch (error) {
      if (trouble !== null) throw error;
      older = store;
      store = fallBack(error);
      carryOver(older, store);
      run(store);
    }
    writes += 1;
    if (writes % sweepEvery === 1) sweep();
  }

  /** What is still open goes on in the new store, where the old one can be read at all. */
  function carryOver(from: Store, to: Store): void {
    try {
      for (const row of from.unfinished.all() as unknown as JournalRow[]) {
        to.insert.run(row.id, row.scope, row.key, row.fingerprint, row.createdAt, row.request);
        if (row.status === 'dispatched') to.dispatched.run(row.profile, row.instance, row.id);
      }
    } catch (error) {
      onTrouble(error);
    }
  }

  /** The oldest finished go first; what is open never goes. */
  function sweep(): void {
    store.expire.run(now() - ttlMs);
    const { total } = store.size.get() as { total: number | null };
    if ((total ?? 0) > maxChars) store.shrink.run((total ?? 0) - maxChars);
  }

  const read = (run: (store: Store) => Record<string, SQLOutputValue> | undefined): JournalRow | null => {
    const row = run(store) ?? (older && run(older));
    return row ? (row as unknown as JournalRow) : null;
  };

  return {
    insert: ({ id, scope, key, fingerprint, createdAt, request }) =>
      write((it) => it.insert.run(id, scope, key, fingerprint, createdAt, request)),
    dispatched: (id, { profile, instance }) => write((it) => it.dispatched.run(profile, instance, id)),
    requeued: (id) => write((it) => it.requeued.run(id)),
    finished: (id, status, outcome, at) => write((it) => it.finished.run(status, outcome, outcome.length, at, id)),
    find: (id) => read((it) => it.find.get(id)),
    findByKey: (scope, key) => read((it) => it.findByKey.get(scope, key)),
    unfinished: () => store.unfinished.all() as unknown as JournalRow[],
    latest: (count) => store.latest.all(count) as unknown as JournalRow[],
    get trouble() {
      return trouble;
    },
    close() {
      for (const it of [store, older]) if (it?.database.isOpen) it.database.close();
    },
  };
}

/** Sweeping is cheap, but not for nothing. */
const sweepEvery = 100;

type Store = ReturnType<typeof prepare>;

function openFile(path: string, maxBytes: number, onTrouble: (error: unknown) => void): Store {
  try {
    return open(path, maxBytes);
  } catch (error) {
    if (isOurs(error) || !isBroken(error)) throw error;
    // Kept for whoever wants to save something from it; a bridge that does not start saves nothing.
    onTrouble(error);
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.broken${suffix}`);
    }
    return open(path, maxBytes);
  }
}

function open(path: string, maxBytes: number): Store {
  const database = new DatabaseSync(path);
  try {
    // Exclusive: one bridge alone, and freed by the system whatever becomes of the process. A write that returned is
    // with the system, so that a killed process loses nothing; only a power cut may take the last moments.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const { page_size: pageSize } = database.prepare('PRAGMA page_size').get() as { page_size: number };
    database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSize)}`);
    const { quick_check: health } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (health !== 'ok') throw new BrokenJournalError(`The journal is damaged: ${health}`);
    return prepare(database);
  } catch (error) {
    database.close();
    if (isSqlite(error, 5)) throw new JournalLockedError('Another bridge uses this state folder.', { cause: error });
    throw error;
  }
}

class BrokenJournalError extends Error {
  override readonly name = 'BrokenJournalError';
}

const isSqlite = (error: unknown, ...codes: number[]): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  codes.includes(error.errcode & 0xff);

/** 11: malformed, 26: no database at all. */
const isBroken = (error: unknown): boolean => error instanceof BrokenJournalError || isSqlite(error, 11, 26);

const isOurs = (error: unknown): boolean =>
  error instanceof JournalLockedError ||
  error instanceof NewerJournalError ||
  (error instanceof Error && error.name === 'InsecureFolderError');

const columns =
  'id, status, scope, key, fingerprint, created_at AS createdAt, finished_at AS finishedAt, profile, instance, request, outcome';

function prepare(database: DatabaseSync) {
  migrate(database);
  const sql = (text: string) => database.prepare(text);
  return {
    database,
    insert: sql(
      "INSERT INTO chats (id, status, scope, key, fingerprint, created_at, request) VALUES (?, 'queued', ?, ?, ?, ?, ?)",
    ),
    // A fallback store knows only what came after it.
    dispatched: sql("UPDATE chats SET status = 'dispatched', profile = ?, instance = ? WHERE id = ?"),
    requeued: sql("UPDATE chats SET status = 'queued', profile = NULL, instance = NULL WHERE id = ?"),
    // An answer may come after its call was given up, and even before a slow caller learns that it was.
    finished: sql(
      "UPDATE chats SET status = ?, outcome = ?, outcome_chars = ?, finished_at = ? WHERE id = ? AND status <> 'success'",
    ),
    find: sql(`SELECT ${columns} FROM chats WHERE id = ?`),
    // By rowid, which only rises: a clock that was set back would show an older chat as the latest.
    findByKey: sql(`SELECT ${columns} FROM chats WHERE scope = ? AND key = ? ORDER BY rowid DESC LIMIT 1`),
    unfinished: sql(`SELECT ${columns} FROM chats WHERE finished_at IS NULL ORDER BY rowid`),
    latest: sql(`SELECT ${columns} FROM chats ORDER BY rowid DESC LIMIT ?`),
    expire: sql('DELETE FROM chats WHERE finished_at < ?'),
    size: sql('SELECT SUM(outcome_chars) AS total FROM chats WHERE finished_at IS NOT NULL'),
    shrink: sql(`DELETE FROM chats WHERE id IN (
      SELECT id FROM (
        SELECT id, SUM(outcome_chars) OVER (ORDER BY finished_at, id) - outcome_chars AS before
        FROM chats WHERE finished_at IS NOT NULL
      ) WHERE before < ?)`),
  };
}
