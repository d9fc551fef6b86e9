/** `npm run faults`: a thousand requests, each of which meets a fault, and what must hold of them all the same. */

import { Command } from 'commander';

import { describeReport } from './report.ts';
import { runFaults } from './run.ts';

interface Options {
  seed: number;
  requests: number;
  scale: number;
  only?: number;
  dead: boolean;
}

const options = new Command('npm run faults --')
  .description('Breaks lines and processes under a real bridge while requests run, and checks that no call is doubled.')
  .option('--seed <number>', 'which plan', Number, Date.now() % 1_000_000)
  .option('--requests <number>', 'how many', Number, 1000)
  .option(
    '--scale <number>',
    'factor for the times of toxics: 1 is 2 s ± 1 s of latency, and takes hours',
    Number,
    0.05,
  )
  .option('--only <number>', 'of the plan, only this request', Number)
  .option('--no-dead', 'leaves out the lines that go dead without a word at the end, which take 45 s')
  .parse()
  .opts<Options>();

const stop = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(exitCode);
    console.log('\nStopping.');
    process.exitCode = exitCode;
    stop.abort();
  });
}

const { seed, dead, ...rest } = options;
console.log(`Seed ${seed}, ${options.requests} requests.`);
const report = await runFaults({
  ...rest,
  seed,
  withDeadLines: dead,
  signal: stop.signal,
  onProgress(done, of) {
    if (process.stdout.isTTY) process.stdout.write(`\r  ${done} of ${of} requests`);
    else if (done % 100 === 0) console.log(`  ${done} of ${of} requests`);
  },
});
if (stop.signal.aborted) process.exit();
console.log(describeReport(report));
for (const { row, index, why } of report.violations) {
  const again = `--seed ${seed} --requests ${options.requests}${index === null ? '' : ` --only ${index}`}`;
  console.log(`VIOLATION ${row}${index === null ? '' : `, request ${index}`}: ${why}\n  npm run faults -- ${again}`);
}
if (report.violations.length > 0) process.exitCode = 1;
