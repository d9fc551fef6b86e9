import { expect, it, onTestFinished } from 'vitest';

import { createThread, type Thread } from '../../bridge/thread.ts';
import type { Job } from './thread-entry.ts';

function open(limitMs = 30_000): Thread<Job, Job> {
  const thread = createThread<Job, Job>(new URL('./thread-entry.ts', import.meta.url), { limitMs });
  onTestFinished(() => thread.close());
  return thread;
}

it('gives each job its own result, in turn', async () => {
  const { ask } = open();
  const jobs = ['a', 'b', 'c'].map((say) => ({ say }));
  expect(await Promise.all(jobs.map(ask))).toEqual(jobs);
});

it('ends a job that takes too long, holds up nothing meanwhile, and does the ones behind it', async () => {
  const { ask } = open(2000);
  await ask({ say: 'started' });
  let isOver = false;
  const endless = ask('spin').catch((error: unknown) => error);
  void endless.then(() => (isOver = true));
  const behind = ask({ say: 'after' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  expect(await endless).toEqual(new Error('It took longer than 2000 ms.'));
  expect(await behind).toEqual({ say: 'after' });
});

it('starts anew after a job that broke it', async () => {
  const { ask } = open();
  const broken = ask('throw');
  const behind = ask({ say: 'after' });
  await expect(broken).rejects.toThrow('Broken');
  expect(await behind).toEqual({ say: 'after' });
});

it('rejects what is under way, what waits and what comes later once it is closed', async () => {
  const { ask, close } = open();
  const jobs = [ask('spin'), ask({ say: 'behind' })].map((job) => job.catch(String));
  await close();
  expect(await Promise.all(jobs)).toEqual(Array(2).fill('ThreadClosedError: The thread was closed.'));
  await expect(ask({ say: 'late' })).rejects.toThrow('The thread was closed.');
});
