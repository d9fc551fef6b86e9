import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { openJournal } from '../../../bridge/journal/journal.ts';
import { asLeft } from './as-left.ts';

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

const minute = 60 * 1000;
const day = 24 * 60 * minute;

function open(folder: string, change: { maxKeptBytes?: number; maxFileBytes?: number } = {}) {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => void troubles.push(error);
  const journal = openJournal({
    folder,
    ttlMs: day,
    maxKeptBytes: 1e6,
    maxFileBytes: 1e9,
    now: Date.now,
    onTrouble,
    ...change,
  });
  onTestFinished(() => journal.close());
  return { journal, troubles };
}

const row = (id: string, change = {}) => ({
  id,
  scope: 'me',
  key: null,
  fingerprint: null,
  createdAt: 1,
  request: null,
  ...change,
});
const holder = { profile: 'p', instance: 'i' };

describe('a journal', () => {
  it('keeps what a chat came to, over a restart', () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    journal.insert(row('a', { key: 'k', fingerprint: 'f' }));
    journal.dispatched('a', holder);
    journal.finished('a', 'success', '{"text":"Hello"}', 5);
    journal.close();
    const again = open(folder).journal;
    expect(again.condition.trouble).toBeNull();
    expect(again.find('a')).toEqual({
      ...row('a', { key: 'k', fingerprint: 'f' }),
      status: 'success',
      finishedAt: 5,
      ...holder,
      outcome: '{"text":"Hello"}',
    });
    expect(again.findByKey('me', 'k')?.id).toBe('a');
    expect(again.findByKey('you', 'k')).toBeNull();
    expect(again.find('b')).toBeNull();
    expect(again.unfinished()).toEqual([]);
  });

  it('keeps an answer that came although it was given up, also from whoever learns of that late', () => {
    const { journal } = open(makeFolder());
    journal.insert(row('a'));
    journal.finished('a', 'error', '"gone"', 2);
    journal.finished('a', 'success', '"here"', 3);
    journal.finished('a', 'error', '"gone"', 4);
    expect(journal.find('a')).toMatchObject({ status: 'success', outcome: '"here"', finishedAt: 3 });
  });

  it('knows which calls may have gone out when its process was killed', () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    for (const [createdAt, id] of ['dispatched', 'queued', 'requeued', 'failed'].entries())
      journal.insert(row(id, { createdAt }));
    for (const id of ['dispatched', 'requeued', 'failed']) journal.dispatched(id, holder);
    journal.requeued('requeued');
    journal.finished('failed', 'error', '{}', 2);
    expect(journal.unfinished().map(({ id, status }) => [id, status])).toEqual([
      ['dispatched', 'dispatched'],
      ['queued', 'queued'],
      ['requeued', 'queued'],
    ]);
  });

  it('is on disk once it was told to be, once somebody waits for it, and when it is closed', async () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    const onDisk = () => asLeft(folder, (left) => left.unfinished().map(({ id }) => id));
    journal.insert(row('a'));
    journal.dispatched('a', holder);
    journal.flush();
    expect(onDisk()).toEqual(['a']);
    journal.insert(row('b'));
    await journal.settled();
    expect(onDisk()).toEqual(['a', 'b']);
    journal.insert(row('c'));
    journal.close();
    expect(onDisk()).toEqual(['a', 'b', 'c']);
  });

  it('finds the latest of one key', () => {
    const { journal } = open(makeFolder());
    journal.insert(row('a', { key: 'k', createdAt: 1 }));
    journal.insert(row('b', { key: 'k', createdAt: 2 }));
    expect(journal.findByKey('me', 'k')?.id).toBe('b');
    expect(journal.latest(1, () => true).map(({ id }) => id)).toEqual(['b']);
  });

  it('lists as many as are asked for of those that are wanted, newest first, and without their texts', () => {
    const { journal } = open(makeFolder());
    for (const id of ['a', 'b', 'c', 'd', 'e']) journal.insert(row(id, { scope: id < 'd' ? 'me' : 'you' }));
    journal.finished('c', 'success', 'text', 2);
    const heads = journal.latest(2, ({ scope }) => scope === 'me');
    const common = { scope: 'me', createdAt: 1 };
    expect(heads.map((head) => ({ ...head }))).toEqual([
      { ...common, id: 'c', status: 'success', finishedAt: 2 },
      { ...common, id: 'b', status: 'queued', finishedAt: null },
    ]);
  });

  it('finds the latest of one key also where the clock was set back in between', () => {
    const { journal } = open(makeFolder());
    for (const [id, createdAt] of [
      ['a', 2],
      ['b', 1],
      ['c', 1],
    ] as const)
      journal.insert(row(id, { key: 'k', createdAt }));
    expect(journal.findByKey('me', 'k')?.id).toBe('c');
    expect(journal.latest(3, () => true).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(journal.unfinished().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('forgets what is finished for longer than it should keep it, and nothing that is open', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const folder = makeFolder();
    const { journal } = open(folder);
    for (const id of ['open', 'done']) journal.insert(row(id));
    journal.finished('done', 'success', '"a secret answer"', Date.now());
    vi.advanceTimersByTime(day);
    expect(journal.find('done')).not.toBeNull();
    vi.advanceTimersByTime(day / 100);
    expect(journal.find('done')).toBeNull();
    expect(journal.find('open')).not.toBeNull();
    // Not even in the file beside it, where changes go first.
    for (const file of filesIn(folder)) expect(readFileSync(file, 'latin1')).not.toContain('a secret');
  });

  it('forgets nothing because the clock was ahead for a moment', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { journal } = open(makeFolder());
    journal.insert(row('done'));
    journal.finished('done', 'success', '{}', Date.now());
    const leap = (ms: number) => vi.setSystemTime(Date.now() + ms);
    for (const before of [0, minute, 9 * minute]) {
      vi.advanceTimersByTime(before);
      leap(2 * day);
      vi.advanceTimersByTime(10 * minute);
      leap(-2 * day);
      vi.advanceTimersByTime(10 * minute);
      expect(journal.find('done')).not.toBeNull();
    }
    // A machine that slept is believed after a while.
    leap(2 * day);
    vi.advanceTimersByTime(20 * minute);
    expect(journal.find('done')).toBeNull();
  });

  it('believes no clock that was wrong only while the bridge started', () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    journal.insert(row('done'));
    journal.finished('done', 'success', '{}', Date.now());
    journal.close();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + 2 * day);
    const again = open(folder).journal;
    vi.advanceTimersByTime(minute);
    vi.setSystemTime(Date.now() - 2 * day);
    vi.advanceTimersByTime(day / 2);
    expect(again.find('done')).not.toBeNull();
  });

  it('forgets the oldest where all together are too large', () => {
    const { journal } = open(makeFolder(), { maxKeptBytes: 250_000 });
    const ids = ['a', 'b', 'c', 'd'];
    journal.insert(row('open', { request: 'x'.repeat(1_000_000) }));
    for (const [at, id] of ids.entries()) {
      journal.insert(row(id));
      journal.finished(id, 'success', 'x'.repeat(100_000), at);
    }
    expect(ids.map((id) => journal.find(id) !== null)).toEqual([false, false, true, true]);
    expect(journal.find('open')).not.toBeNull();
  });

  it('knows of what has a key that it was answered, also where its words had to go', () => {
    const { journal } = open(makeFolder(), { maxKeptBytes: 100_000 });
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      journal.insert(row(id, { key: id, request: '"words"' }));
      journal.finished(id, 'success', 'x'.repeat(60_000), at);
    }
    const left = ['a', 'b', 'c'].map((id) => journal.findByKey('me', id));
    expect(left.map((it) => it && [it.status, it.request, it.outcome?.length])).toEqual([
      ['success', null, undefined],
      ['success', null, undefined],
      ['success', '"words"', 60_000],
    ]);
  });

  it('counts bytes, of the requests too, and makes room at once where it may keep less than before', () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    const [ascii, wide] = ['x'.repeat(40_000), '語'.repeat(40_000)];
    for (const [id, request, outcome] of [
      ['a', null, ascii],
      ['b', ascii, ascii],
      ['c', null, wide],
    ] as const) {
      journal.insert(row(id, { request }));
      journal.finished(id, 'success', outcome, 1);
    }
    journal.close();
    const kept = (maxKeptBytes: number) => {
      const { journal } = open(folder, { maxKeptBytes });
      const found = ['a', 'b', 'c'].filter((id) => journal.find(id));
      journal.close();
      return found;
    };
    expect([kept(250_000), kept(210_000), kept(130_000), kept(100_000)]).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['c'],
      [],
    ]);
  });

  it('leaves nothing in its files of what it forgot', () => {
    const folder = makeFolder();
    const { journal } = open(folder, { maxKeptBytes: 100_000 });
    for (let index = 0; index < 50; index += 1) {
      const id = `${index}`;
      journal.insert(row(id, { request: 'a secret question '.repeat(20) }));
      journal.finished(id, 'success', 'a secret answer '.repeat(20), 1);
    }
    journal.insert(row('b'));
    journal.finished('b', 'success', 'x'.repeat(100_000), 2);
    expect(journal.find('49')).toBeNull();
    journal.close();
    expect(readdirSync(folder)).toEqual(['bridge.lock', 'journal.db']);
    expect(readFileSync(join(folder, 'journal.db'), 'latin1')).not.toContain('a secret');
  });

  it('keeps that there was an answer, where it keeps none of its words', () => {
    const { journal } = open(makeFolder());
    journal.insert(row('a', { key: 'k' }));
    journal.finished('a', 'success', null, 1);
    expect(journal.findByKey('me', 'k')).toMatchObject({ status: 'success', outcome: null });
    expect(journal.condition.unreadable).toBe(0);
  });
});

describe('a folder', () => {
  it('and what is in it is for this person alone', () => {
    const folder = join(makeFolder(), 'state', 'bridge');
    open(folder).journal.insert(row('a'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of filesIn(folder)) expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('that others can open is not used, and the message closes it', () => {
    const folder = makeFolder();
    chmodSync(folder, 0o755);
    expect(() => open(folder)).toThrow(`chmod 700 '${folder}'`);
    chmodSync(folder, 0o700);
    const file = join(folder, 'journal.db');
    writeFileSync(file, '', { mode: 0o644 });
    expect(() => open(folder)).toThrow(`chmod 600 '${file}'`);
  });

  it('in which the journal is a link is not used', () => {
    const folder = makeFolder();
    symlinkSync('/dev/null', join(folder, 'journal.db'));
    expect(() => open(folder)).toThrow('not a link');
  });
});

describe('a journal in trouble', () => {
  it('goes on in memory where it cannot be opened, and says so', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'file'), '');
    const other = open(join(folder, 'file', 'below'));
    expect(other.journal.condition.trouble).toMatch(/ENOTDIR/);
    expect(other.troubles).toHaveLength(1);
    other.journal.insert(row('a'));
    expect(other.journal.find('a')?.status).toBe('queued');
  });

  it('goes on in memory where the disk fails while it runs, with all that is open', async () => {
    const folder = makeFolder();
    // As full as a disk can be.
    const { journal, troubles } = open(folder, { maxFileBytes: 100_000 });
    journal.insert(row('before'));
    journal.insert(row('open'));
    journal.dispatched('open', holder);
    journal.finished('before', 'success', '{}', 1);
    journal.insert(row('after', { request: 'x'.repeat(2_000_000) }));
    await expect.poll(() => journal.condition.trouble, { timeout: 10_000 }).toMatch(/full/);
    journal.finished('open', 'success', '"late"', 2);
    expect(troubles).toHaveLength(1);
    expect(['before', 'open', 'after'].map((id) => journal.find(id)?.status)).toEqual(['success', 'success', 'queued']);
  });

  it.each([
    ['garbage', (file: string) => writeFileSync(file, 'This is no database at all. '.repeat(100), { mode: 0o600 })],
    ['a damaged one', (file: string) => damage(file)],
  ])('that is %s is put aside and never wiped', (_, spoil) => {
    const folder = makeFolder();
    spoil(join(folder, 'journal.db'));
    const { journal, troubles } = open(folder);
    expect(troubles).toHaveLength(1);
    expect(readdirSync(folder)).toContain('journal.db.broken');
    // Else the next start would be refused.
    for (const file of filesIn(folder)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(journal.condition.trouble).toBeNull();
    journal.insert(row('a'));
    expect(journal.find('a')).not.toBeNull();
  });

  function damage(file: string): void {
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE t (a)');
    for (let i = 0; i < 100; i += 1) database.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(1000));
    database.close();
    const bytes = Buffer.alloc(4096, 0xff);
    writeFileSync(file, bytes, { flag: 'r+' });
    chmodSync(file, 0o600);
  }

  it('of an older version is brought up to date', () => {
    const folder = makeFolder();
    const file = join(folder, 'journal.db');
    const database = new DatabaseSync(file);
    database.exec(`CREATE TABLE chats (id TEXT PRIMARY KEY, status TEXT NOT NULL, scope TEXT NOT NULL, key TEXT,
      fingerprint TEXT, created_at INTEGER NOT NULL, finished_at INTEGER, profile TEXT, instance TEXT, request TEXT,
      outcome TEXT, outcome_chars INTEGER) STRICT;
      CREATE INDEX chats_by_finish ON chats (finished_at, outcome_chars);
      CREATE INDEX chats_by_creation ON chats (created_at);
      INSERT INTO chats VALUES ('a', 'success', 'me', NULL, NULL, 1, 2, NULL, NULL, NULL, '"kept"', 6);
      PRAGMA user_version = 1;`);
    database.close();
    chmodSync(file, 0o600);
    const { journal, troubles } = open(folder);
    expect([journal.find('a')?.outcome, journal.condition.wasPutAside, troubles]).toEqual(['"kept"', false, []]);
  });

  it('of a newer version is left alone', () => {
    const folder = makeFolder();
    const file = join(folder, 'journal.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    chmodSync(file, 0o600);
    expect(() => open(folder)).toThrow(/Update the bridge/);
  });
});
