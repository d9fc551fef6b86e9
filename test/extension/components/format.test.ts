import { describe, expect, it } from 'vitest';

import { count, dollars, duration } from '../../../extension/components/format.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0 ms'],
    [39.6, '40 ms'],
    [94, '94 ms'],
    [94.99, '95 ms'],
    [95, '0.1 s'],
    [449, '0.4 s'],
    [1000, '1.0 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [12_400, '12 s'],
    [59_499, '59 s'],
    [59_500, '1:00 min'],
    [60_000, '1:00 min'],
    [125_000, '2:05 min'],
    [600_000, '10:00 min'],
    [3_599_600, '60:00 min'],
  ])('of %d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('an amount', () => {
  it.each([
    [0, '$0.00'],
    [0.25, '$0.25'],
    [0.1, '$0.10'],
    [0.2499, '$0.25'],
    [3, '$3.00'],
    [1234.5, '$1,234.50'],
    [0.05, '$0.05'],
    [0.045, '$0.045'],
    [0.0999, '$0.10'],
    [0.004, '$0.004'],
    [0.00123, '$0.0012'],
  ])('of %d dollars is %s', (value, text) => expect(dollars(value)).toBe(text));

  it.each([
    [0, '0'],
    [999, '999'],
    [1234, '1,234'],
    [1_000_000, '1,000,000'],
  ])('of %d is %s', (value, text) => expect(count(value)).toBe(text));
});
