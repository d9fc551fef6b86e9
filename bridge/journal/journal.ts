import { createBacklog } from './backlog.ts';
import { JournalLockedError, lockFolder } from './lock.ts';
import { goOn, type Older } from './older.ts';
import { openPrivateFolder } from './private-folder.ts';
import { openRedoLog, peekIntoRedoLog, removeRedoLog, replayRedoLog, type RedoLog } from './redo-log.ts';
import { createRetention } from './retention.ts';
import type { JournalHead, JournalRow } from './row.ts';
import { NewerJournalError } from './schema.ts';
import {
  openStore,
  openStoreInMemory,
  openStoreToRead,
  patienceMs,
  putAll,
  type Question,
  type Store,
} from './store.ts';

/**
 * What must survive a crash: which calls went out, and what they came to. What is written in one turn of the event loop
 * goes to the disk together at its end, or as soon as somebody waits for it: into the redo log, which is cheap to write,
 * and from there in larger batches into the database, which is cheap to ask.
 */
export interface Journal {
  insert(row: Pick<JournalRow, 'id' | 'scope' | 'key' | 'fingerprint' | 'createdAt' | 'request'>): void;
  /** The call must not leave before `flush` has returned: what may have gone out is never sent again. */
  dispatched(id: string, holder: { profile: string; instance: string }): void;
  /** Certainly never started: back in the queue. */
  requeued(id: string): void;
  /** What was written is on disk when it returns. */
  flush(): void;
  /** Resolves once what was written is on disk. */
  settled(): Promise<void>;
  finished(id: string, status: 'success' | 'error', outcome: string | null, at: number): void;
  find(id: string): JournalRow | null;
  findByKey(scope: string, key: string): JournalRow | null;
  /** What an earlier run of the bridge left open. */
  unfinished(): JournalRow[];
  /** The latest that are wanted, newest first. */
  latest(count: number, isWanted: (head: JournalHead) => boolean): JournalHead[];
  readonly condition: Condition;
  close(): void;
}

/** How the journal is. */
export interface Condition {
  /** Why what is written now is lost with the process; null where it is safe on disk. Names no folder. */
  trouble: string | null;
  /** The file was damaged as a whole when it was opened, and lies beside the new one. */
  wasPutAside: boolean;
  /** How many of its rows can be found, but not be read any more. */
  unreadable: number;
}

/** How often what is over its time goes. */
const sweepMs = 10 * 60 * 1000;

/**
 * How long the database lacks what is new, and how much of it goes in at once, in characters. Whoever calls meanwhile
 * waits for a few milliseconds, so the pieces are few, and none is long.
 */
const fold = { afterMs: 500, charsAtOnce: 512 * 1024 };

/**
 * Opens the journal in `folder`, which is made where it is missing. Where the disk fails, now or later, it goes on in
 * memory and says so. Throws `JournalLockedError` where another bridge has it, `InsecureFolderError` where other users
 * have a way in, and `NewerJournalError` where a newer bridge wrote it.
 */
export function openJournal(options: {
  folder: string;
  /** How long what is finished is kept, and how much of it; a tenth more may wait for the database. */
  ttlMs: number;
  maxKeptBytes: number;
  /** The file grows no further, whatever else fails. */
  maxFileBytes: number;
  now: () => number;
  onTrouble: (error: unknown) => void;
}): Journal {
  const { folder, ttlMs, maxKeptBytes, maxFileBytes, onTrouble } = options;
  const retention = createRetention(options);
  const condition: Condition = { trouble: null, wasPutAside: false, unreadable: 0 };
  let unlock: (() => void) | null = null;
  let redoLog: RedoLog | null = null;
  const pending = createBacklog(() => setImmediate(flush));
  let older: Older | null = null;
  let store = openOrFallBack();
  let settling: PromiseWithResolvers<void> | undefined;
  let folding: NodeJS.Timeout | undefined;

  function openOrFallBack(): Store {
    let opened: Store | null = null;
    try {
      openPrivateFolder(folder);
      // Who reads the history after a crash has it for a moment.
      unlock = lockFolder(folder, patienceMs);
      const { store, putAside } = openStore(folder, maxFileBytes);
      opened = store;
      if (putAside) onTrouble(putAside);
      const unreadable = replayRedoLog(folder, store);
      redoLog = openRedoLog(folder);
      const { count } = store.unreadable.get() as { count: number };
      Object.assign(condition, { wasPutAside: putAside !== null, unreadable: count + unreadable });
      return store;
    } catch (error) {
      if (isOurs(error)) {
        unlock?.();
        throw error;
      }
      const memory = fallBack(error, opened ?? openStoreToRead(folder));
      peekIntoRedoLog(folder, memory);
      return memory;
    }
  }

  function fallBack(error: unknown, from: Store | null): Store {
    // After the comma Node names the file.
    condition.trouble = (error instanceof Error ? error.message : String(error)).replace(/, .*/s, '');
    onTrouble(new Error(`Nothing can be kept in ${folder}: answers are lost with the bridge.`, { cause: error }));
    // What is in it goes into the database when that is opened again.
    redoLog?.close();
    redoLog = null;
    const memory = openStoreInMemory();
    older = from && goOn(from, memory, onTrouble);
    return memory;
  }

  /** Goes on in memory where the disk fails, with all that was not on it yet. */
  function attempt<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (condition.trouble !== null) throw error;
      store = fallBack(error, store);
      return run();
    }
  }

  function change(id: string, changes: Partial<JournalRow>): void {
    const row = find(id);
    // Not known: it was there before the disk failed, and cannot be read any more. Answered: an answer may come after its
    // call was given up, and even before a slow caller learns that it was.
    if (!row || row.status === 'success') return;
    if (row.finishedAt !== null) retention.countAnew();
    pending.change(row, changes);
  }

  /** Into the redo log. */
  function flush(): void {
    pending.write((changes) => attempt(() => redoLog?.append(changes)));
    settling?.resolve();
    settling = undefined;
    if (pending.size > 0) folding ??= setTimeout(foldOn, fold.afterMs).unref();
  }

  function foldOn(): void {
    foldSome(fold.charsAtOnce);
    if (pending.size > 0) setImmediate(foldOn);
    else folding = undefined;
  }

  /** Into the database, and out of the redo log once nothing is pending any more. */
  function foldSome(chars: number): void {
    flush();
    if (pending.size === 0) return;
    const rows = pending.first(chars);
    attempt(() => putAll(store, rows));
    pending.remove(rows);
    attempt(() => retention.shrink(store, rows));
    if (pending.size === 0) attempt(() => redoLog?.clear());
  }

  const foldAll = () => foldSome(Infinity);

  function expire(): void {
    foldAll();
    attempt(() => retention.expire(store));
  }

  const find = (id: string): JournalRow | null => pending.get(id) ?? read((it) => it.find.get(id));

  const read = (question: Question): JournalRow | null =>
    ((attempt(() => question(store)) ?? older?.ask(question)) as JournalRow | undefined) ?? null;

  attempt(() => retention.shrink(store, []));
  const sweeping = setInterval(expire, Math.min(sweepMs, ttlMs)).unref();

  return {
    insert: (row) =>
      pending.add({ ...row, status: 'queued', finishedAt: null, profile: null, instance: null, outcome: null }),
    dispatched: (id, { profile, instance }) => change(id, { status: 'dispatched', profile, instance }),
    requeued: (id) => change(id, { status: 'queued', profile: null, instance: null }),
    finished(id, status, outcome, finishedAt) {
      change(id, { status, outcome, finishedAt });
      if (pending.chars > maxKeptBytes / 10) foldAll();
    },
    find,
    findByKey(scope, key) {
      if (pending.hasKey(scope, key)) foldAll();
      return read((it) => it.findByKey.get(scope, key));
    },
    unfinished() {
      foldAll();
      return attempt(() => store.unfinished.all()) as unknown as JournalRow[];
    },
    latest(count, isWanted) {
      foldAll();
      return attempt(() => {
        const found: JournalHead[] = [];
        for (const head of store.heads.iterate() as Iterable<unknown> as Iterable<JournalHead>)
          if (isWanted(head) && found.push(head) === count) break;
        return found;
      });
    },
    condition,
    flush,
    settled() {
      if (pending.isWritten()) return Promise.resolve();
      if (!settling) {
        settling = Promise.withResolvers();
        // Somebody waits: with all that came at once, and not only at the end of the turn.
        process.nextTick(flush);
      }
      return settling.promise;
    },
    close() {
      clearInterval(sweeping);
      clearTimeout(folding);
      if (store.database.isOpen) foldAll();
      redoLog?.close();
      if (redoLog && pending.size === 0) removeRedoLog(folder);
      redoLog = null;
      if (store.database.isOpen) store.database.close();
      older?.close();
      unlock?.();
    },
  };
}

const isOurs = (error: unknown): boolean =>
  error instanceof JournalLockedError ||
  error instanceof NewerJournalError ||
  (error instanceof Error && error.name === 'InsecureFolderError');
