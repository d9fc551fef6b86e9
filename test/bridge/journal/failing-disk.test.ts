import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, it, onTestFinished } from 'vitest';

import type { Journal } from '../../../bridge/journal/journal.ts';
import { openRedoLog } from '../../../bridge/journal/redo-log.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';
import { createRow } from './example-row.ts';
import { openSoundJournal } from './sound-journal.ts';

/** A journal whose database nobody can read any more, with two calls in it: one over, one open. */
async function openSpoilt() {
  const { dir: folder, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  const troubles: unknown[] = [];
  const journal = openSoundJournal(folder, (error) => troubles.push(error));
  onTestFinished(() => journal.close());
  for (const id of ['over', 'open']) journal.insert(createRow(id));
  journal.finished('over', 'success', '{}', 1);
  // Puts them into the database.
  expect(journal.unfinished()).toHaveLength(1);
  const other = new DatabaseSync(join(folder, 'journal.db'));
  other.exec('DROP TABLE chats');
  other.close();
  return { folder, journal, troubles };
}

it('goes on in memory where the disk fails while it is read', async () => {
  const { journal, troubles } = await openSpoilt();
  journal.finished('open', 'success', '{}', 2);
  expect(['over', 'open'].map((id) => journal.find(id))).toEqual([null, null]);
  expect(journal.findByKey('me', 'k')).toBeNull();
  expect(journal.condition.trouble).toMatch(/no such table/);
  expect(troubles.length).toBeGreaterThan(0);
  journal.insert(createRow('after'));
  expect(journal.find('after')?.status).toBe('queued');
});

it.each<[string, (journal: Journal) => unknown[]]>([
  ['is asked for the latest', (journal) => journal.latest(9, () => true)],
  ['is asked for what is open', (journal) => journal.unfinished()],
])('goes on in memory where the disk fails while it %s', async (_, list) => {
  const { journal } = await openSpoilt();
  expect(list(journal)).toEqual([]);
  expect(journal.condition.trouble).toMatch(/no such table/);
  journal.insert(createRow('after'));
  expect(list(journal)).toMatchObject([{ id: 'after' }]);
});

it('removes nothing from a disk that failed: it may take that no better', async () => {
  const { folder, journal } = await openSpoilt();
  expect(journal.find('over')).toBeNull();
  journal.close();
  expect(readdirSync(folder)).toContain('redo');
});

const holder = { profile: 'p', instance: 'i' };

/** What a bridge left: an answer to a key and a call that went out in the database, another one in the redo log. */
async function leave(): Promise<string> {
  const { dir: folder, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  const journal = openSoundJournal(folder);
  journal.insert(createRow('answered', { key: 'k' }));
  journal.finished('answered', 'success', '"paid"', 1);
  journal.insert(createRow('early'));
  journal.dispatched('early', holder);
  journal.close();
  const redoLog = openRedoLog(folder);
  redoLog.append([createRow('late', { status: 'dispatched', ...holder })]);
  redoLog.close();
  return folder;
}

it('knows what was left to it where the disk fails at the start, and leaves it to the next start', async () => {
  const folder = await leave();
  // Where SQLite would have a file of its own.
  mkdirSync(join(folder, 'journal.db-shm'));
  const troubles: unknown[] = [];
  const journal = openSoundJournal(folder, (error) => troubles.push(error));
  expect(troubles).toHaveLength(1);
  expect(journal.condition.trouble).not.toBeNull();
  expect(journal.unfinished().map(({ id, status }) => [id, status])).toEqual([
    ['early', 'dispatched'],
    ['late', 'dispatched'],
  ]);
  expect(journal.findByKey('me', 'k')?.outcome).toBe('"paid"');
  journal.finished('early', 'success', '"late"', 2);
  expect(journal.find('early')?.outcome).toBe('"late"');
  journal.close();
  rmdirSync(join(folder, 'journal.db-shm'));
  const next = openSoundJournal(folder);
  expect(next.unfinished().map(({ id }) => id)).toEqual(['early', 'late']);
  next.close();
});

it('knows it, too, where the redo log alone fails at the start', async () => {
  const folder = await leave();
  rmSync(join(folder, 'redo'), { recursive: true });
  mkdirSync(join(folder, 'redo', 'journal.jsonl'), { recursive: true });
  const journal = openSoundJournal(folder, () => {});
  onTestFinished(() => journal.close());
  expect(journal.condition.trouble).toMatch(/EISDIR/);
  expect(journal.unfinished().map(({ id }) => id)).toEqual(['early']);
  expect(journal.findByKey('me', 'k')?.outcome).toBe('"paid"');
});
