/** `npm run faults`: a thousand requests, each of which meets a fault, and what must hold of them all the same. */

import { Command } from 'commander';

import { runKillLoop } from './kill-loop.ts';
import { describeReport } from './report.ts';
import { runFaults } from './run.ts';
import { createStopSignal } from '../stop-signal.ts';

interface Options {
  seed: number;
  requests: number;
  scale: number;
  only?: number;
  dead: boolean;
  kills: number;
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
  .option(
    '--kills <number>',
    'after that, kills of an extension around its call, and as many of the bridge',
    Number,
    200,
  )
  .option('--no-dead', 'leaves out the lines that go dead without a word at the end, which take 45 s')
  .parse()
  .opts<Options>();

const stop = createStopSignal();

const { seed, dead, kills, ...rest } = options;
console.log(`Seed ${seed}, ${options.requests} requests.`);
try {
  const report = await runFaults({
    ...rest,
    seed,
    withDeadLines: dead,
    signal: stop,
    onProgress: showProgress('requests'),
  });
  console.log(describeReport(report));
  for (const { row, index, why } of report.violations) tellViolation(`${row}: ${why}`, index);
} catch (error) {
  // After Ctrl-C, whatever broke broke because of it.
  if (!stop.aborted) throw error;
}
for (const victim of ['extension', 'bridge'] as const) {
  if (stop.aborted || kills === 0 || options.only !== undefined) continue;
  const onProgress = showProgress(`kills of ${victim === 'bridge' ? 'the bridge' : 'an extension'}`);
  const { violations, ...counts } = await runKillLoop({ victim, rounds: kills, seed, onProgress, signal: stop });
  console.log(
    `\n  ${counts.rounds} kills of ${victim}: ${counts.without} before the call, ${counts.withCall} after it, ${counts.answered} answered all the same, ${violations.length} paid twice or answered wrongly`,
  );
  for (const { round, why } of violations) tellViolation(`M8, ${victim}, round ${round}: ${why}`, null);
}

// A socket that lingers, or a child that was killed just then, must not keep it.
process.exit();

function tellViolation(what: string, index: number | null): void {
  const again = `--seed ${seed} --requests ${options.requests}${index === null ? '' : ` --only ${index}`}`;
  console.log(`VIOLATION ${index === null ? '' : `in request ${index}, `}${what}\n  npm run faults -- ${again}`);
  process.exitCode = 1;
}

function showProgress(what: string): (done: number, of: number) => void {
  return (done, of) => {
    if (process.stdout.isTTY) process.stdout.write(`\r  ${done} of ${of} ${what} `);
    else if (done % 100 === 0) console.log(`  ${done} of ${of} ${what}`);
  };
}
