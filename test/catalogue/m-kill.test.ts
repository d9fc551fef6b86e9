import { expect, it } from 'vitest';

import { runKillLoop } from '../faults/kill-loop.ts';

/** A short one of what `npm run faults` does two hundred times. */
it.for([
  ['M8 an extension killed around its call, thirty times, never pays twice', 'extension', 30],
  ['M8 a bridge killed around a call, ten times, never has it paid twice', 'bridge', 10],
] as const)('%s', { timeout: 120_000 }, async ([, victim, rounds]) => {
  const report = await runKillLoop({ victim, rounds, seed: 8, signal: new AbortController().signal });
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ rounds, without: rounds - report.withCall });
  expect(report.withCall).toBeGreaterThanOrEqual(rounds / 3);
});
