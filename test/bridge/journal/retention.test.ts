import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it, onTestFinished } from 'vitest';

import { openJournal } from '../../../bridge/journal/journal.ts';
import { temporaryStateDir } from '../../catalogue/bridge-process.ts';

async function open(maxKeptBytes: number) {
  const folder = await temporaryStateDir();
  const onTrouble = (error: unknown) => {
    throw error;
  };
  const journal = openJournal({
    ...{ folder, ttlMs: 1e12, maxKeptBytes, maxFileBytes: 1e9, now: Date.now },
    onTrouble,
  });
  onTestFinished(() => journal.close());

  function finish(id: string, chars: number, key: string | null = null): void {
    journal.insert({ id, scope: 's', key, fingerprint: null, createdAt: 1, request: null });
    journal.finished(id, 'success', 'x'.repeat(chars), 1);
    // Who wants a list of them has them put into the database.
    journal.latest(0, () => false);
  }
  return { folder, journal, finish };
}

describe('what is kept in all', () => {
  it('stays below its limit from the first answer that is too much, and loses no more than that takes', async () => {
    const { journal, finish } = await open(100_000);
    const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
    for (const id of ids) finish(id, 9000);
    const left = ids.filter((id) => journal.find(id));
    expect(left).toEqual(ids.slice(-10));
  });

  it('loses the words alone of what has a key, one after the other', async () => {
    const { journal, finish } = await open(100_000);
    const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
    for (const id of ids) finish(id, 9000, id);
    const rows = ids.map((id) => journal.findByKey('s', id));
    expect(rows.every((row) => row?.status === 'success')).toBe(true);
    const left = rows.filter((row) => row?.outcome).map((row) => row?.id);
    // Each of the others still takes something.
    expect(left).toEqual(ids.slice(-9));
  });

  it('counts what was asked with a key where no answers are kept, too', async () => {
    const { journal } = await open(100_000);
    const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
    for (const id of ids) {
      journal.insert({ id, scope: 's', key: id, fingerprint: null, createdAt: 1, request: 'x'.repeat(9000) });
      journal.finished(id, 'success', null, 1);
      journal.latest(0, () => false);
    }
    const left = ids.filter((id) => journal.find(id)?.request);
    expect(left).toEqual(ids.slice(-9));
  });

  it('counts an answer once that came after its call was given up', async () => {
    const { journal, finish } = await open(100_000);
    journal.insert({ id: 'late', scope: 's', key: null, fingerprint: null, createdAt: 1, request: 'x'.repeat(40_000) });
    journal.finished('late', 'error', '{}', 1);
    journal.latest(0, () => false);
    journal.finished('late', 'success', '{}', 2);
    finish('b', 40_000);
    finish('c', 10_000);
    expect(['late', 'b', 'c'].filter((id) => journal.find(id))).toEqual(['late', 'b', 'c']);
  });

  it('is counted anew where another process has made room', async () => {
    const { folder, journal, finish } = await open(100_000);
    finish('a', 80_000);
    const other = new DatabaseSync(join(folder, 'journal.db'));
    other.exec('DELETE FROM chats');
    other.close();
    finish('b', 60_000);
    finish('c', 30_000);
    expect(['a', 'b', 'c'].filter((id) => journal.find(id))).toEqual(['b', 'c']);
  });
});
