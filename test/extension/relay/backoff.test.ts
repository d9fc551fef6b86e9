import fc from 'fast-check';
import { expect, it } from 'vitest';

import { backoffMs } from '../../../extension/relay/backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('is a whole number between nothing and a ceiling that doubles up to 2.5 s', () => {
  fc.assert(
    fc.property(fc.nat(), random, (attempt, random) => {
      const ms = backoffMs(attempt, () => random);
      expect(Number.isInteger(ms)).toBe(true);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Math.min(2500, 500 * 2 ** attempt));
    }),
  );
});

it('uses its whole range, and reaches the last ceiling at the fourth attempt', () => {
  const ceilings = [0, 1, 2, 3, 4, 1000].map((attempt) => backoffMs(attempt, () => 1 - Number.EPSILON));
  expect(ceilings).toEqual([500, 1000, 2000, 2500, 2500, 2500]);
  expect(backoffMs(9, () => 0)).toBe(0);
});
