import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as v from 'valibot';

import { openPrivateFile, openPrivateFolder } from './private-folder.ts';
import type { JournalChange, JournalRow } from './row.ts';
import { putAll, type Store } from './store.ts';

/**
 * Rows that the database has not taken in yet, a line of JSON each time that one changes; the last of an id counts. To
 * append one costs a tenth of a transaction; the database takes many at once, and what is here is empty then. Read only
 * after a crash.
 */
export interface RedoLog {
  /** What was appended is with the system when it returns, so that a killed process loses nothing. */
  append(changes: readonly JournalChange[]): void;
  /** All of it is in the database. */
  clear(): void;
  /** What is in it stays there. */
  close(): void;
}

const nullable = v.nullable(v.string());
const changeSchema = v.object({
  id: v.string(),
  status: v.picklist(['queued', 'dispatched', 'success', 'error']),
  scope: v.string(),
  key: nullable,
  fingerprint: nullable,
  createdAt: v.number(),
  finishedAt: v.nullable(v.number()),
  profile: nullable,
  instance: nullable,
  request: v.optional(nullable),
  outcome: nullable,
}) satisfies v.GenericSchema<JournalChange>;

/** In the state folder. A folder of its own, since whoever watches the other one would be woken by every line. */
const redoFolder = (folder: string): string => join(folder, 'redo');
const fileName = 'journal.jsonl';

/** How much the database has not taken in yet, in bytes. */
export const redoBytes = (folder: string): number =>
  statSync(join(redoFolder(folder), fileName), { throwIfNoEntry: false })?.size ?? 0;

/**
 * Opens it, empty, for the bridge that has the folder. Throws as `openPrivateFile` does, and Node's error where the disk
 * fails.
 */
export function openRedoLog(folder: string): RedoLog {
  openPrivateFolder(redoFolder(folder));
  const path = openPrivateFile(redoFolder(folder), fileName);
  const file = openSync(path, 'a');
  // Windows cuts nothing off by a descriptor that may only append.
  const whole = openSync(path, 'r+');
  return {
    append(changes) {
      let lines = '';
      for (const change of changes) lines += `${JSON.stringify(change)}\n`;
      writeFileSync(file, lines);
    },
    clear: () => ftruncateSync(whole),
    close() {
      closeSync(file);
      closeSync(whole);
    },
  };
}

/** Once all of it is in the database, and it is closed. */
export const removeRedoLog = (folder: string): void => rmSync(redoFolder(folder), { recursive: true, force: true });

/** Puts in what a bridge that was killed left there, and removes it; returns how many of its lines nobody can read. */
export function replayRedoLog(folder: string, store: Store): number {
  const unreadable = putIn(folder, store);
  removeRedoLog(folder);
  return unreadable;
}

/** Puts in what can be read of it, and leaves it there for a bridge that can keep it. */
export function peekIntoRedoLog(folder: string, store: Store): void {
  try {
    putIn(folder, store);
  } catch {
    // On the disk that fails, and so is its file.
  }
}

function putIn(folder: string, store: Store): number {
  const path = join(redoFolder(folder), fileName);
  if (!existsSync(path)) return 0;
  // Behind the last end of a line stands nothing, or what was cut off and never told to anybody.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const changes = lines.map(readChange).filter((change) => change !== null);
  const rows = new Map<string, JournalRow>();
  for (const { request, ...row } of changes) {
    const before = rows.get(row.id) ?? (store.find.get(row.id) as JournalRow | undefined);
    rows.set(row.id, { ...row, request: request === undefined ? (before?.request ?? null) : request });
  }
  putAll(store, rows.values());
  return lines.length - changes.length;
}

function readChange(line: string): JournalChange | null {
  try {
    return v.parse(changeSchema, JSON.parse(line));
  } catch {
    return null;
  }
}
