import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, it, onTestFinished } from 'vitest';

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

it('removes nothing from a disk that failed: it may take that no better', async () => {
  const { folder, journal } = await openSpoilt();
  expect(journal.find('over')).toBeNull();
  journal.close();
  expect(readdirSync(folder)).toContain('redo');
});
