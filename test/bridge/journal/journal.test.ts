import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it, onTestFinished } from 'vitest';

import { JournalLockedError, openJournal } from '../../../bridge/journal/journal.ts';

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const day = 24 * 60 * 60 * 1000;

function open(folder: string, change: { maxChars?: number; maxBytes?: number; now?: () => number } = {}) {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => void troubles.push(error);
  const journal = openJournal({
    folder,
    ttlMs: day,
    maxChars: 1000,
    maxBytes: 1e9,
    now: () => 0,
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
    expect(again.trouble).toBeNull();
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

  it('finds the latest of one key', () => {
    const { journal } = open(makeFolder());
    journal.insert(row('a', { key: 'k', createdAt: 1 }));
    journal.insert(row('b', { key: 'k', createdAt: 2 }));
    expect(journal.findByKey('me', 'k')?.id).toBe('b');
    expect(journal.latest(1).map(({ id }) => id)).toEqual(['b']);
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
    expect(journal.latest(3).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(journal.unfinished().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('forgets what is finished for longer than it should keep it, and nothing that is open', () => {
    let time = 0;
    const { journal } = open(makeFolder(), { now: () => time });
    journal.insert(row('open'));
    journal.insert(row('done'));
    journal.finished('done', 'success', '{}', 0);
    time = day + 1;
    for (let i = 0; i < 100; i += 1) journal.requeued('open');
    expect(journal.find('done')).toBeNull();
    expect(journal.find('open')).not.toBeNull();
  });

  it('forgets the oldest where all together are too large', () => {
    const { journal } = open(makeFolder(), { maxChars: 250 });
    for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) {
      journal.insert(row(id));
      journal.finished(id, 'success', 'x'.repeat(100), at);
    }
    for (let i = 0; i < 100; i += 1) journal.requeued('none');
    expect(['a', 'b', 'c', 'd'].map((id) => journal.find(id) !== null)).toEqual([false, false, true, true]);
  });
});

describe('a folder', () => {
  it('and what is in it is for this person alone', () => {
    const folder = join(makeFolder(), 'state', 'bridge');
    open(folder).journal.insert(row('a'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder))
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
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

  it('is one bridge’s at a time', () => {
    const folder = makeFolder();
    const { journal } = open(folder);
    expect(() => open(folder)).toThrow(JournalLockedError);
    journal.close();
    expect(open(folder).journal.trouble).toBeNull();
  });
});

describe('a journal in trouble', () => {
  it('goes on in memory where it cannot be opened, and says so', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'file'), '');
    const other = open(join(folder, 'file', 'below'));
    expect(other.journal.trouble).toMatch(/ENOTDIR/);
    expect(other.troubles).toHaveLength(1);
    other.journal.insert(row('a'));
    expect(other.journal.find('a')?.status).toBe('queued');
  });

  it('goes on in memory where the disk fails while it runs, with all that is open', () => {
    const folder = makeFolder();
    // As full as a disk can be.
    const { journal, troubles } = open(folder, { maxBytes: 100_000 });
    journal.insert(row('before'));
    journal.insert(row('open'));
    journal.dispatched('open', holder);
    journal.finished('before', 'success', '{}', 1);
    journal.insert(row('after', { request: 'x'.repeat(2_000_000) }));
    journal.finished('open', 'success', '"late"', 2);
    expect(journal.trouble).toMatch(/full/);
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
    expect(journal.trouble).toBeNull();
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
