import { describe, expect, it } from 'vitest';

import { idsOf, renderTable } from './reporter.ts';
import { rows } from './rows.ts';

describe('the table of the catalogue', () => {
  it.each([
    ['A2 the Host “evil.com” is refused', ['A2']],
    ['A18 A13 the target // gets no socket', ['A18', 'A13']],
    ['is about no row', []],
    ['A is about no row', []],
    ['HTTP2 is about no row', []],
    ['A2', []],
  ])('takes the rows of a test from the beginning of its title: %s', (title, ids) => {
    expect(idsOf(title)).toEqual(ids);
  });

  it('counts what passed, and names what failed, what was not run, and what is no row', () => {
    const table = renderTable(
      new Map([
        ['C1', 'passed'],
        ['C2', 'failed'],
        ['C99', 'passed'],
      ]),
    );
    expect(table).toContain('    C     1     2     4  failed: C2  not run: C4 C5\n');
    expect(table).toContain('    K     0     0     6  not run: all\n');
    expect(table).toContain('In no group: C99');
  });

  it('has every row once, in order', () => {
    for (const numbers of Object.values(rows)) {
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers);
    }
  });
});
