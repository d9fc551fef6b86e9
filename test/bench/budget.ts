import type { Contestant } from './bench.ts';
import { compare, summarise, type Figures, type Summary } from './figures.ts';

/** What a figure may be. */
export type Budget = {
  figure: string;
  who: Contestant;
  must: number;
  aim: number;
  /** At least so much, not at most. */
  isFloor?: true;
} & ({ how: 'ratio' | 'added'; over: Contestant } | { how: 'itself' });

/** How figures name so many. */
export const namedStreams = (count: number): string => `${count} stream${count === 1 ? '' : 's'}`;

const toBare = { who: 'bridge', how: 'ratio', over: 'bare' } as const;

export const budgets: readonly Budget[] = [
  { ...toBare, figure: '1 caller, p50 (ms)', must: 1.5, aim: 1.25 },
  { ...toBare, figure: '1 caller, p99 (ms)', must: 2, aim: 1.5 },
  { ...toBare, figure: '32 callers (requests/s)', must: 0.5, aim: 0.7, isFloor: true },
  { ...toBare, figure: '256 callers (requests/s)', must: 0.5, aim: 0.7, isFloor: true },
  { ...toBare, figure: 'processor time of a request (µs)', must: 2, aim: 1.5 },
  { ...toBare, figure: 'burst, 1 stream (chunks/s)', must: 0.8, aim: 1.5, isFloor: true },
  { ...toBare, figure: 'burst, 32 streams (chunks/s)', must: 0.8, aim: 1.5, isFloor: true },
  ...[1, 50, 200].flatMap((streams): Budget[] => [
    { ...toBare, figure: `paced, ${namedStreams(streams)}, p50 (ms)`, must: 1.3, aim: 1.1 },
    { ...toBare, figure: `paced, ${namedStreams(streams)}, p99 (ms)`, must: 2, aim: 1.5 },
  ]),
  { ...toBare, figure: 'memory of a held request (KiB)', must: 2, aim: 1.3 },
  { ...toBare, figure: 'start to listening (ms)', must: 2, aim: 1.5 },
  { ...toBare, figure: 'idle memory (MiB)', must: 1.5, aim: 1.5 },
  { ...toBare, figure: 'idle wake-ups in 12 s', how: 'added', must: 1, aim: 1 },
  {
    who: 'bridge',
    how: 'added',
    over: 'bare chromium with puter.js',
    figure: 'Chromium, 1 caller, p50 (ms)',
    must: 1,
    aim: 0.4,
  },
  { who: 'bridge', how: 'added', over: 'puter.js', figure: 'Chromium, first token, p50 (ms)', must: 5, aim: 2 },
  {
    who: 'bridge',
    how: 'ratio',
    over: 'portkey',
    figure: 'completions at 32 callers (requests/s)',
    must: 5,
    aim: 10,
    isFloor: true,
  },
  { who: 'bridge', how: 'ratio', over: 'portkey', figure: 'completions by 1 caller, p50 (ms)', must: 0.5, aim: 0.34 },
  {
    who: 'bridge',
    how: 'ratio',
    over: 'bridge without journal',
    figure: 'journal: processor time of a request (µs)',
    must: 1.15,
    aim: 1.05,
  },
  {
    who: 'bridge',
    how: 'ratio',
    over: 'bridge without journal',
    figure: 'journal: 1 caller, p50 (ms)',
    must: 1.15,
    aim: 1.05,
  },
  { who: 'bridge', how: 'itself', figure: 'p50 with 1,000 queued, times that with 10', must: 1.2, aim: 1.2 },
  { who: 'bridge', how: 'itself', figure: '10 MB answer, times ten of 1 MB', must: 1.2, aim: 1.2 },
  { who: 'bridge', how: 'itself', figure: 'memory of 2 × the held bytes, times that of 1 ×', must: 2.2, aim: 2.2 },
  { who: 'popup', how: 'itself', figure: 'first content (ms)', must: 100, aim: 100 },
];

export interface Judgement {
  budget: Budget;
  value: Summary;
  verdict: 'aim' | 'met' | 'missed';
}

/** Null where it was not measured. */
export function judge(budget: Budget, figures: Figures): Judgement | null {
  const values = figures.values(budget.figure, budget.who);
  if (values.length === 0) return null;
  const value = valueOf(budget, values, figures);
  const reaches = (limit: number) => (budget.isFloor ? value.median >= limit : value.median <= limit);
  const verdict = reaches(budget.aim) ? 'aim' : reaches(budget.must) ? 'met' : 'missed';
  return { budget, value, verdict };
}

function valueOf(budget: Budget, values: readonly number[], figures: Figures): Summary {
  if (budget.how === 'itself') return summarise(values);
  const how = budget.how === 'ratio' ? (a: number, b: number) => a / b : (a: number, b: number) => a - b;
  return compare(values, figures.values(budget.figure, budget.over), how);
}
