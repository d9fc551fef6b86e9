/** `npm run soak`: callers of all kinds for ten minutes, and what the bridge takes before, meanwhile and afterwards. */

import { Command } from 'commander';

import { runSoak, type SoakReport } from './soak.ts';
import { createStopSignal } from '../stop-signal.ts';

interface Options {
  minutes: number;
  rps: number;
  seed: number;
}

/** Less than this share a minute is no growth. */
const flat = 0.005;
/** Of what the system counts, which goes up and down in steps. */
const level = 0.02;
const longEnough = 8;

const options = new Command('npm run soak --')
  .description('Loads a real bridge with requests, hang-ups, cancels, timeouts and broken sockets, and measures it.')
  .option('--minutes <number>', 'how long', Number, 10)
  .option('--rps <number>', 'requests a second', Number, 20)
  .option('--seed <number>', 'which traffic', Number, 1)
  .parse()
  .opts<Options>();

const stop = createStopSignal();

const mib = (bytes: number | null) => (bytes === null ? '–' : (bytes / 2 ** 20).toFixed(1));
const row = (...cells: unknown[]) => console.log(cells.map((cell) => String(cell).padStart(10)).join(''));

row('minute', 'requests', 'heap MiB', 'RSS MiB', 'files', 'sockets', 'pending');
try {
  const report = await runSoak({
    ...options,
    sampleEveryMs: Math.min(60_000, (options.minutes * 60_000) / 4),
    signal: stop,
    onSample({ minute, heap, rss, files, sockets, pending, requests }) {
      row(minute.toFixed(1), requests, mib(heap), mib(rss), files ?? '–', sockets ?? '–', pending);
    },
  });
  if (!stop.aborted) conclude(report);
} catch (error) {
  // After Ctrl-C, whatever broke broke because of it.
  if (!stop.aborted) throw error;
}

function conclude({ samples, endings, slopes, troubles }: SoakReport): void {
  console.log('\nHow the requests ended:');
  for (const [ending, count] of [...endings].toSorted(([, a], [, b]) => b - a)) row(count, ` ${ending}`);
  const { heap = 0, rss = null } = samples.at(-1) ?? {};
  const kib = (slope: number | null) => (slope === null ? '–' : (slope / 1024).toFixed(1));
  console.log(`\nIn a minute, the heap changes by ${kib(slopes.heap)} KiB of ${mib(heap)} MiB,`);
  console.log(`and at the end all memory by ${kib(slopes.rss)} KiB of ${mib(rss)} MiB.`);
  const wrong = [...troubles];
  // Node takes what it likes to have in the first minutes.
  if (options.minutes < longEnough) console.log(`Less than ${longEnough} minutes say nothing about the memory.`);
  else if (slopes.heap > heap * flat) wrong.push('the heap grows');
  if (options.minutes >= longEnough && (slopes.rss ?? 0) > (rss ?? 0) * level) wrong.push('the memory grows');
  for (const trouble of wrong) console.log(`NOT AS IT WAS: ${trouble}`);
  if (wrong.length > 0) process.exitCode = 1;
}
