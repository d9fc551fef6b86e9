import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect, it, onTestFinished } from 'vitest';

import { JournalLockedError, lockFolder } from '../../../bridge/journal/lock.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';
import { openSoundJournal } from './sound-journal.ts';

async function makeFolder(): Promise<string> {
  const { dir, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  return dir;
}

it('a folder is one bridge’s at a time', async () => {
  const folder = await makeFolder();
  const journal = openSoundJournal(folder);
  expect(() => openSoundJournal(folder)).toThrow(JournalLockedError);
  journal.close();
  openSoundJournal(folder).close();
});

it('a bridge waits for who puts in what an earlier one left', async () => {
  const folder = await makeFolder();
  lockFolder(folder)();
  // In a thread of its own, since a bridge that waits does nothing else.
  const reader = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const database = new (require('node:sqlite').DatabaseSync)(workerData);
    database.exec('BEGIN EXCLUSIVE');
    parentPort.postMessage('locked');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    database.close();`,
    { eval: true, workerData: join(folder, 'bridge.lock') },
  );
  await once(reader, 'message');
  const journal = openSoundJournal(folder);
  expect(journal.condition.trouble).toBeNull();
  journal.close();
});
