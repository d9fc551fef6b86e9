import type { SQLOutputValue } from 'node:sqlite';

import { JournalLockedError, lockFolder } from './lock.ts';
import { openPrivateFile, openPrivateFolder } from './private-folder.ts';
import { NewerJournalError } from './schema.ts';
import { fileName, openStore, openStoreInMemory, type Store } from './store.ts';

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

export type JournalHead = Pick<JournalRow, 'id' | 'status' | 'scope' | 'createdAt' | 'finishedAt'>;

/**
 * What must survive a crash: which calls went out, and what they came to. All that is written in one turn of the event
 * loop goes to the disk together, at its end at the latest: to do so is what costs most.
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
 * Opens the journal in `folder`, which is made where it is missing. Where the disk fails, now or later, it goes on in
 * memory and says so. Throws `JournalLockedError` where another bridge has it, `InsecureFolderError` where other users
 * have a way in, and `NewerJournalError` where a newer bridge wrote it.
 */
export function openJournal(options: {
  folder: string;
  /** How long what is finished is kept, and how much of it; a tenth more is put up with. */
  ttlMs: number;
  maxKeptBytes: number;
  /** The file grows no further, whatever else fails. */
  maxFileBytes: number;
  now: () => number;
  onTrouble: (error: unknown) => void;
}): Journal {
  const { folder, ttlMs, maxKeptBytes, maxFileBytes, now, onTrouble } = options;
  const condition: Condition = { trouble: null, wasPutAside: false, unreadable: 0 };
  let unlock: (() => void) | null = null;
  let store = openOrFallBack();
  // What was on disk before the disk failed can often still be read.
  let older: Store | null = null;
  let isCarriedOver = false;
  let grownBytes = 0;
  /** Written in this turn, and not on disk yet. */
  let batch: Write[] = [];
  let settling: PromiseWithResolvers<void> | undefined;

  function openOrFallBack(): Store {
    try {
      openPrivateFolder(folder);
      unlock = lockFolder(folder);
      const { store, putAside } = openStore(openPrivateFile(folder, fileName), maxFileBytes);
      if (putAside) onTrouble(putAside);
      const { count } = store.unreadable.get() as { count: number };
      Object.assign(condition, { wasPutAside: putAside !== null, unreadable: count });
      return store;
    } catch (error) {
      if (isOurs(error)) {
        unlock?.();
        throw error;
      }
      return fallBack(error);
    }
  }

  function fallBack(error: unknown): Store {
    // After the comma Node names the file.
    condition.trouble = (error instanceof Error ? error.message : String(error)).replace(/, .*/s, '');
    onTrouble(new Error(`Nothing can be kept in ${folder}: answers are lost with the bridge.`, { cause: error }));
    return openStoreInMemory();
  }

  function write(run: Write): void {
    attempt((it) => {
      begin(it);
      run(it);
    });
    if (batch.length === 0) setImmediate(flush);
    batch.push(run);
  }

  function flush(): void {
    if (batch.length === 0) return;
    attempt((it) => it.commit.run());
    batch = [];
    settling?.resolve();
    settling = undefined;
  }

  /** Goes on in memory where the disk fails, with all that was not on it yet. */
  function attempt(run: Write): void {
    try {
      run(store);
    } catch (error) {
      if (condition.trouble !== null) throw error;
      older = store;
      if (older.database.isTransaction) older.rollBack.run();
      store = fallBack(error);
      isCarriedOver = carryOver(older, store);
      if (batch.length > 0) begin(store);
      for (const earlier of batch) earlier(store);
      run(store);
    }
  }

  /** What is still open goes on in the new store, where the old one can be read at all. */
  function carryOver(from: Store, to: Store): boolean {
    try {
      for (const row of from.unfinished.all() as unknown as JournalRow[]) {
        to.insert.run(row.id, row.scope, row.key, row.fingerprint, row.createdAt, row.request);
        if (row.status === 'dispatched') to.dispatched.run(row.profile, row.instance, row.id);
      }
      return true;
    } catch (error) {
      onTrouble(error);
      return false;
    }
  }

  /** The oldest finished go first; what is open never goes, and of what has a key its words alone. */
  function shrink(): void {
    grownBytes = 0;
    write((it) => {
      const { total } = it.size.get() as { total: number | null };
      if ((total ?? 0) <= maxKeptBytes) return;
      it.empty.run((total ?? 0) - maxKeptBytes);
      it.dropEmptied.run();
    });
  }

  let last = { wall: now(), uptime: performance.now() };
  /**
   * What was paid for must not go because the clock is a day ahead for a moment. So it is believed only as far as time
   * went by here since it was last looked at: a leap, true or false, counts once it has lasted from one look to the next.
   */
  function expire(): void {
    const seen = { wall: now(), uptime: performance.now() };
    const time = Math.min(seen.wall, last.wall + seen.uptime - last.uptime);
    last = seen;
    let hasChanged = false;
    write((it) => void (hasChanged = Number(it.expire.run(time - ttlMs).changes) > 0));
    if (!hasChanged) return;
    flush();
    // Else the words would stay for a while in the file beside it, where changes go first.
    attempt((it) => it.database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  function read(run: (store: Store) => Record<string, SQLOutputValue> | undefined): JournalRow | null {
    const row = run(store);
    if (row) return row as unknown as JournalRow;
    const old = older && (run(older) as unknown as JournalRow | undefined);
    // What was open when the disk failed went on in the new store.
    return old && !(isCarriedOver && old.finishedAt === null) ? old : null;
  }

  shrink();
  const sweeping = setInterval(expire, Math.min(sweepMs, ttlMs)).unref();

  return {
    insert: ({ id, scope, key, fingerprint, createdAt, request }) =>
      write((it) => it.insert.run(id, scope, key, fingerprint, createdAt, request)),
    dispatched: (id, { profile, instance }) => write((it) => it.dispatched.run(profile, instance, id)),
    requeued: (id) => write((it) => it.requeued.run(id)),
    finished(id, status, outcome, at) {
      write((it) => it.finished.run(status, outcome, at, id));
      // Measured now and then, since to measure is to look at every row.
      grownBytes += 1000 + (outcome?.length ?? 0);
      if (grownBytes > maxKeptBytes / 10) shrink();
    },
    find: (id) => read((it) => it.find.get(id)),
    findByKey: (scope, key) => read((it) => it.findByKey.get(scope, key)),
    unfinished: () => store.unfinished.all() as unknown as JournalRow[],
    latest(count, isWanted) {
      const found: JournalHead[] = [];
      for (const head of store.heads.iterate() as Iterable<unknown> as Iterable<JournalHead>)
        if (isWanted(head) && found.push(head) === count) break;
      return found;
    },
    condition,
    flush,
    settled() {
      if (batch.length === 0) return Promise.resolve();
      settling ??= Promise.withResolvers();
      return settling.promise;
    },
    close() {
      clearInterval(sweeping);
      if (store.database.isOpen) flush();
      for (const it of [store, older]) if (it?.database.isOpen) it.database.close();
      unlock?.();
    },
  };
}

type Write = (store: Store) => void;

function begin({ database, begin }: Store): void {
  if (!database.isTransaction) begin.run();
}

const isOurs = (error: unknown): boolean =>
  error instanceof JournalLockedError ||
  error instanceof NewerJournalError ||
  (error instanceof Error && error.name === 'InsecureFolderError');
