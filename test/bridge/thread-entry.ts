/** The entry of a thread that does what it is told. */

import { parentPort } from 'node:worker_threads';

export type Job = { say: string } | 'spin' | 'throw';

parentPort?.on('message', (job: Job) => {
  if (job === 'spin') for (;;);
  if (job === 'throw') throw new Error('Broken');
  parentPort?.postMessage(job);
});
