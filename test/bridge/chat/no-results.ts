import type { Results } from '../../../bridge/journal/results.ts';

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
