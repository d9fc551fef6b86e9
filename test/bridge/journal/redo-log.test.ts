import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { openRedoLog, redoBytes, removeRedoLog, replayRedoLog } from '../../../bridge/journal/redo-log.ts';
import type { JournalRow } from '../../../bridge/journal/row.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';
import { openStoreInMemory, putAll } from '../../../bridge/journal/store.ts';
import { asLeft } from './as-left.ts';
import { createRow } from './example-row.ts';
import { openSoundJournal } from './sound-journal.ts';

async function makeFolder(): Promise<string> {
  const { dir, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  return dir;
}

function replay(folder: string, store = openStoreInMemory()): { rows: JournalRow[]; unreadable: number } {
  const unreadable = replayRedoLog(folder, store);
  return { rows: store.unfinished.all() as unknown as JournalRow[], unreadable };
}

it('gives back what was appended, once, each row as it was at last', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  log.append([createRow('a'), createRow('b', { request: 'two\nlines' })]);
  log.append([createRow('a', { status: 'dispatched', profile: '語' }), createRow('c')]);
  const rows = [
    createRow('a', { status: 'dispatched', profile: '語' }),
    createRow('b', { request: 'two\nlines' }),
    createRow('c'),
  ];
  expect(replay(folder)).toEqual({ rows, unreadable: 0 });
  expect(replay(folder)).toEqual({ rows: [], unreadable: 0 });
});

it('gives back what was asked, too, which stands in an earlier line or in the database', async () => {
  const folder = await makeFolder();
  const store = openStoreInMemory();
  putAll(store, [createRow('a', { request: '"Hello"' })]);
  const log = openRedoLog(folder);
  log.append([createRow('b', { request: '"Bye"' })]);
  for (const id of ['a', 'b', 'c']) log.append([{ ...createRow(id, { status: 'dispatched' }), request: undefined }]);
  expect(replay(folder, store).rows.map(({ id, status, request }) => [id, status, request])).toEqual([
    ['a', 'dispatched', '"Hello"'],
    ['b', 'dispatched', '"Bye"'],
    // Its line was lost; the answer is worth more than the question.
    ['c', 'dispatched', null],
  ]);
});

it('keeps what the database did not take', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  log.append([createRow('a')]);
  log.close();
  const full = openStoreInMemory();
  full.database.exec('PRAGMA query_only = ON');
  expect(() => replayRedoLog(folder, full)).toThrow('readonly');
  expect(replay(folder).rows).toEqual([createRow('a')]);
});

it('holds nothing once it was cleared', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  log.append([createRow('a')]);
  expect(redoBytes(folder)).toBeGreaterThan(100);
  log.clear();
  expect(redoBytes(folder)).toBe(0);
  log.append([createRow('b')]);
  expect(replay(folder).rows).toEqual([createRow('b')]);
});

it('counts lines that nobody can read, and leaves out what a crash cut off', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  const file = join(folder, 'redo', 'journal.jsonl');
  log.append([createRow('a')]);
  appendFileSync(file, '####\n{"id":"b"}\n');
  log.append([createRow('c')]);
  appendFileSync(file, JSON.stringify(createRow('d')).slice(0, -5));
  expect(replay(folder)).toEqual({ rows: [createRow('a'), createRow('c')], unreadable: 2 });
});

it('is for this person alone, and gone once it is removed', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  const [inner, file] = [join(folder, 'redo'), join(folder, 'redo', 'journal.jsonl')];
  expect([inner, file].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
  log.close();
  removeRedoLog(folder);
  expect(readdirSync(folder)).toEqual([]);
});

it('is gone once its journal was closed, which has put all of it into the database', async () => {
  const folder = await makeFolder();
  const journal = openSoundJournal(folder);
  journal.insert(createRow('a'));
  journal.flush();
  expect(redoBytes(folder)).toBeGreaterThan(0);
  journal.close();
  expect(readdirSync(folder)).not.toContain('redo');
  expect(asLeft(folder, (left) => left.find('a'))).toEqual(createRow('a'));
});

it('is closed although somebody took its folder away', async () => {
  const folder = await makeFolder();
  const log = openRedoLog(folder);
  rmSync(join(folder, 'redo'), { recursive: true });
  log.append([createRow('a')]);
  log.clear();
  log.close();
  removeRedoLog(folder);
  expect(readdirSync(folder)).toEqual([]);
});

it('is not opened where others have a way in', async () => {
  const folder = await makeFolder();
  mkdirSync(join(folder, 'redo'), { mode: 0o755 });
  expect(() => openRedoLog(folder)).toThrow('chmod 700');
});

it('holds the last word on what the database has, too', async () => {
  const folder = await makeFolder();
  const journal = openSoundJournal(folder);
  onTestFinished(() => journal.close());
  journal.insert(createRow('a', { key: 'k' }));
  journal.dispatched('a', { profile: 'p', instance: 'i' });
  expect(journal.findByKey('me', 'k')?.status).toBe('dispatched');
  expect(redoBytes(folder)).toBe(0);
  journal.finished('a', 'success', '"paid"', 2);
  journal.flush();
  expect(redoBytes(folder)).toBeGreaterThan(0);
  const kept = createRow('a', {
    key: 'k',
    status: 'success',
    profile: 'p',
    instance: 'i',
    finishedAt: 2,
    outcome: '"paid"',
  });
  expect(asLeft(folder, (left) => left.findByKey('me', 'k'))).toEqual(kept);
});

it('holds all of a row that changed from turn to turn', async () => {
  const folder = await makeFolder();
  const journal = openSoundJournal(folder);
  onTestFinished(() => journal.close());
  const asked = { id: 'a', scope: 'me', key: 'k', fingerprint: 'f', createdAt: 1, request: '"Hello"' };
  journal.insert(asked);
  journal.flush();
  journal.dispatched('a', { profile: 'p', instance: 'i' });
  journal.flush();
  journal.requeued('a');
  journal.dispatched('a', { profile: 'q', instance: 'j' });
  journal.flush();
  journal.finished('a', 'success', '"paid"', 2);
  journal.flush();
  expect(asLeft(folder, (left) => left.findByKey('me', 'k'))).toEqual({
    ...asked,
    status: 'success',
    profile: 'q',
    instance: 'j',
    finishedAt: 2,
    outcome: '"paid"',
  });
});

it('has it before the turn ends where somebody waits for that, and else when it ends', async () => {
  const folder = await makeFolder();
  const journal = openSoundJournal(folder);
  onTestFinished(() => journal.close());
  const nextTurn = () => new Promise<number>((resolve) => setImmediate(() => resolve(redoBytes(folder))));
  const first = nextTurn();
  journal.insert(createRow('a'));
  expect(await first).toBe(0);
  const before = await nextTurn();
  expect(before).toBeGreaterThan(0);
  const second = nextTurn();
  journal.insert(createRow('b'));
  void journal.settled();
  expect(await second).toBeGreaterThan(before);
});
