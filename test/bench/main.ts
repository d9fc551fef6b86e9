/** `npm run bench`: what the bridge adds, measured beside what adds nothing, and held to a budget. */

import { writeFile } from 'node:fs/promises';
import { cpus, type, release } from 'node:os';

import { Command, InvalidArgumentError } from 'commander';

import { createBed } from './bed.ts';
import { budgets } from './budget.ts';
import { buildBench } from './build.ts';
import type { Bench } from './bench.ts';
import { createFigures } from './figures.ts';
import { callers } from './measurements/callers.ts';
import { chromium } from './measurements/chromium.ts';
import { growth } from './measurements/growth.ts';
import { held } from './measurements/held.ts';
import { journal } from './measurements/journal.ts';
import { popup } from './measurements/popup.ts';
import { portkey } from './measurements/portkey.ts';
import { start } from './measurements/start.ts';
import { burst, paced } from './measurements/streams.ts';
import { describe, judgeAll } from './report.ts';
import { createStopSignal } from '../stop-signal.ts';

const benches: readonly Bench[] = [callers, burst, paced, journal, start, held, growth, portkey, chromium, popup];

interface Options {
  only?: Bench[];
  rounds: number;
  json?: string;
  check?: true;
}

const options = new Command('npm run bench --')
  .description('Measures the bridge beside a bare hop, Portkey, and the ways through a real browser.')
  .option('--only <name>', `one of ${benches.map(({ name }) => name).join(', ')}; may be given several times`, addBench)
  .option('--rounds <number>', 'how often each contestant is measured, in turn', readRounds, 5)
  .option('--json <file>', 'writes every figure of every round there')
  .option('--check', 'exits with 1 when a “must” of the budget is missed')
  .addHelpText('after', `\n${benches.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`)
  .parse()
  .opts<Options>();

const stop = createStopSignal();

const figures = createFigures();
try {
  console.log('Building …');
  await buildBench();
  for (const bench of options.only ?? benches) await measure(bench);
  await tell();
} catch (error) {
  // After Ctrl-C, whatever broke broke because of it.
  if (!stop.aborted) {
    console.error(error);
    process.exitCode = 2;
  }
}
// A browser that did not end must not keep the bench.
process.exit();

async function measure({ name, about, round }: Bench): Promise<void> {
  console.log(`${name}: ${about} …`);
  for (let count = 1; count <= options.rounds; count += 1) {
    stop.throwIfAborted();
    const startedAt = performance.now();
    const bed = createBed(stop);
    try {
      await round(bed, figures.note);
    } finally {
      await bed.close();
    }
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${name}: round ${count} of ${options.rounds}, ${seconds} s`);
  }
}

async function tell(): Promise<void> {
  const judgements = judgeAll(budgets, figures);
  for (const line of describe(figures, judgements)) console.log(line);
  const missed = judgements.filter(({ verdict }) => verdict === 'missed');
  console.log(`\n${judgements.length - missed.length} of ${judgements.length} musts are met. On ${machine()}.`);
  if (options.check && missed.length > 0) process.exitCode = 1;
  if (options.json === undefined) return;
  const measured = figures.names().map((figure) => ({
    figure,
    contestants: figures.contestants(figure).map((who) => ({ who, values: figures.values(figure, who) })),
  }));
  await writeFile(options.json, `${JSON.stringify({ machine: machine(), figures: measured, judgements }, null, 2)}\n`);
}

function machine(): string {
  const [first, ...others] = cpus();
  return `${others.length + 1} × ${first?.model ?? 'unknown'}, ${type()} ${release()}, Node ${process.version}`;
}

function addBench(name: string, before: Bench[] = []): Bench[] {
  const bench = benches.find((it) => it.name === name);
  if (!bench) throw new InvalidArgumentError(`There is no bench of that name.`);
  return [...before, bench];
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return rounds;
}
