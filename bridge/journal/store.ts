import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

import { openPrivateFile } from './private-folder.ts';
import { rowBytes, type JournalRow } from './row.ts';
import { migrate } from './schema.ts';

class BrokenJournalError extends Error {
  override readonly name = 'BrokenJournalError';
}

/** In the state folder. */
export const fileName = 'journal.db';

/** One database of chats, and what is asked of it. */
export type Store = ReturnType<typeof prepare>;

/** Asks for one row. */
export type Question = (store: Store) => Record<string, SQLOutputValue> | undefined;

/**
 * Opens the file in the folder. One that is no database, or damaged as a whole, is put aside, and an empty one takes its
 * place. Throws `NewerJournalError`, as `openPrivateFile` does, and SQLite's own where the disk fails.
 */
export function openStore(folder: string, maxBytes: number): { store: Store; putAside: Error | null } {
  const path = openPrivateFile(folder, fileName);
  try {
    return { store: open(path, maxBytes), putAside: null };
  } catch (error) {
    if (!isBroken(error)) throw error;
    // Kept for whoever wants to save something from it; a bridge that does not start saves nothing.
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.broken${suffix}`);
    }
    return { store: open(openPrivateFile(folder, fileName), maxBytes), putAside: error };
  }
}

/** Opens the file while a bridge may have it open, too: nothing of it is put aside. */
export function openStoreBeside(path: string): Store {
  const database = new DatabaseSync(path, { timeout: patienceMs });
  database.exec('PRAGMA secure_delete = ON');
  return prepare(database);
}

/** Opens the file where nothing can be written; null where nothing can be read, either. */
export function openStoreToRead(folder: string): Store | null {
  try {
    const path = openPrivateFile(folder, fileName);
    const beside = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    // SQLite makes files beside one that may change, also to read it alone.
    const unchanging = new URL(`${pathToFileURL(path).href}?immutable=1`);
    return prepare(new DatabaseSync(beside > 0 ? path : unchanging, { readOnly: true }));
  } catch {
    return null;
  }
}

export const openStoreInMemory = (): Store => prepare(new DatabaseSync(':memory:'));

function open(path: string, maxBytes: number): Store {
  const database = new DatabaseSync(path, { timeout: patienceMs });
  try {
    // In larger pages stand more rows of a few kilobytes, and each page is a write of its own. Of a new file alone.
    database.exec('PRAGMA page_size = 16384');
    // A write that returned is with the system, so that a killed process loses nothing; only a power cut may take the
    // last moments. What is deleted is overwritten: who is told that something is gone shall not find it in the file.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;');
    const { page_size: pageSize } = database.prepare('PRAGMA page_size').get() as { page_size: number };
    database.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(checkpointBytes / pageSize)}`);
    database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSize)}`);
    const { quick_check: health } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (health !== 'ok') throw new BrokenJournalError(`The journal is damaged: ${health}`);
    return prepare(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** How much is in the file beside it before it goes into the file itself. Everybody waits meanwhile, so not too often. */
const checkpointBytes = 32 * 1024 * 1024;

/** An error of SQLite's: one of these, where any are named. */
export const isSqlite = (error: unknown, ...codes: number[]): error is Error =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (codes.length === 0 || codes.includes(error.errcode & 0xff));

export const isBusy = (error: unknown): boolean => isSqlite(error, 5);

/** 11: malformed, 26: no database at all. */
const isBroken = (error: unknown): error is Error => error instanceof BrokenJournalError || isSqlite(error, 11, 26);

/** How long to wait for who reads the history, or clears it, meanwhile. */
export const patienceMs = 2000;

const headColumns = 'id, status, scope, created_at AS createdAt, finished_at AS finishedAt';
const columns = `${headColumns}, key, fingerprint, profile, instance, request, outcome`;

// What has words, or need not be known any more, with the bytes that are free once it and all before it went. By an
// index, and no further than it is read.
const oldestFirst = `SELECT finishedAt, bytes, row, freed FROM (
  SELECT finished_at AS finishedAt, bytes, rowid AS row, SUM(bytes - iif(key IS NULL, 0, ${rowBytes})) OVER (
    ORDER BY finished_at, bytes, rowid ROWS UNBOUNDED PRECEDING) AS freed
  FROM chats WHERE finished_at >= ?1 AND (outcome IS NOT NULL OR request IS NOT NULL OR key IS NULL))`;
const upTo = 'finished_at >= ?1 AND (finished_at, bytes, rowid) <= (?2, ?3, ?4)';

function prepare(database: DatabaseSync) {
  migrate(database);
  const sql = (text: string) => database.prepare(text);
  return {
    database,
    begin: sql('BEGIN IMMEDIATE'),
    commit: sql('COMMIT'),
    rollBack: sql('ROLLBACK'),
    // By its id: anew, or in the place of what it was before.
    put: sql(`INSERT INTO chats (id, status, scope, key, fingerprint, created_at, finished_at, profile, instance, request,
        outcome, bytes)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
        ${rowBytes} + coalesce(octet_length(?10), 0) + coalesce(octet_length(?11), 0))
      ON CONFLICT (id) DO UPDATE SET status = ?2, finished_at = ?7, profile = ?8, instance = ?9, request = ?10,
        outcome = ?11, bytes = excluded.bytes`),
    find: sql(`SELECT ${columns} FROM chats WHERE id = ?`),
    // By rowid, which only rises: a clock that was set back would show an older chat as the latest.
    findByKey: sql(`SELECT ${columns} FROM chats WHERE scope = ? AND key = ? ORDER BY rowid DESC LIMIT 1`),
    unfinished: sql(`SELECT ${columns} FROM chats WHERE finished_at IS NULL ORDER BY rowid`),
    // Without the texts, which may be long and stand behind these.
    heads: sql(`SELECT ${headColumns} FROM chats ORDER BY rowid DESC`),
    asked: sql(`SELECT ${columns} FROM chats WHERE request IS NOT NULL ORDER BY rowid DESC LIMIT ?`),
    unask: sql('UPDATE chats SET request = NULL WHERE request IS NOT NULL'),
    unreadable: sql(`SELECT COUNT(*) AS count FROM chats WHERE finished_at IS NOT NULL
      AND (status NOT IN ('success', 'error') OR NOT json_valid(outcome))`),
    expire: sql('DELETE FROM chats WHERE finished_at < ?'),
    // Another one as soon as anybody else has changed it.
    version: sql('PRAGMA data_version'),
    size: sql('SELECT SUM(bytes) AS total FROM chats WHERE finished_at IS NOT NULL'),
    // How far to go until so many bytes are free, and how far one can go at all.
    freeing: sql(`${oldestFirst} WHERE freed >= ?2 LIMIT 1`),
    freeingAll: sql(`${oldestFirst} ORDER BY freed DESC LIMIT 1`),
    drop: sql(`DELETE FROM chats WHERE ${upTo} AND key IS NULL`),
    empty: sql(`UPDATE chats SET outcome = NULL, request = NULL, bytes = ${rowBytes}
      WHERE ${upTo} AND key IS NOT NULL AND (outcome IS NOT NULL OR request IS NOT NULL)`),
  };
}

/** What a row takes, as the database counts it. */
export const bytesOf = ({ request, outcome }: JournalRow): number =>
  rowBytes + Buffer.byteLength(request ?? '') + Buffer.byteLength(outcome ?? '');

/** What all that is finished takes. */
export const sizeOf = ({ size }: Store): number => (size.get() as { total: number | null }).total ?? 0;

/** All of them or none. */
export function putAll(store: Store, rows: Iterable<JournalRow>): void {
  const { put } = store;
  inOneTransaction(store, () => {
    for (const it of rows) {
      const { id, status, scope, key, fingerprint, createdAt, finishedAt, profile, instance, request, outcome } = it;
      put.run(id, status, scope, key, fingerprint, createdAt, finishedAt, profile, instance, request, outcome);
    }
  });
}

/**
 * The oldest go that ended at `from` or later, until so many bytes are free; of what has a key its words alone, since it
 * must stay known that it was answered: it would be called again. Returns when the last of them ended, too.
 */
export function freeOldest(store: Store, bytes: number, from: number): { freed: number; endedAt: number } {
  const { freeing, freeingAll, drop, empty } = store;
  const last = (freeing.get(from, bytes) ?? freeingAll.get(from)) as Last | undefined;
  if (!last) return { freed: 0, endedAt: from };
  inOneTransaction(store, () => {
    for (const part of [drop, empty]) part.run(from, last.finishedAt, last.bytes, last.row);
  });
  return { freed: last.freed, endedAt: last.finishedAt };
}

interface Last {
  finishedAt: number;
  bytes: number;
  row: number;
  freed: number;
}

function inOneTransaction({ database, begin, commit, rollBack }: Store, run: () => void): void {
  begin.run();
  try {
    run();
    commit.run();
  } catch (error) {
    // SQLite has ended it already where the disk is at fault.
    if (database.isTransaction) rollBack.run();
    throw error;
  }
}
