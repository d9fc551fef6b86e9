import type { Results } from '../../../bridge/journal/results.ts';

/** Of calls whose usage is of no account. */
export const estimateUsage = async () => ({ inputTokens: 0, outputTokens: 0, isEstimated: true as const });

/** Keeps nothing. */
export const noResults: Results = {
  keepsAnswers: true,
  settled: () => Promise.resolve(),
  begin: () => {},
  succeed: () => {},
  fail: () => {},
  get: () => undefined,
  read: async () => undefined,
  findByKey: () => undefined,
  wentOut: () => false,
};
