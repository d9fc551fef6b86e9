import { expect, it } from 'vitest';

import { newId } from '../../bridge/new-id.ts';

const ids = Array.from({ length: 2000 }, newId);

it('N16 is a UUIDv7, and no two are alike', () => {
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it('N16 has 74 bits that are random in each, also within one millisecond', () => {
  const bits = ids.map((id) =>
    BigInt(`0x${id.replaceAll('-', '')}`)
      .toString(2)
      .padStart(128, '0'),
  );
  const random = [...Array(128).keys()].filter((at) => at >= 52 && at !== 64 && at !== 65);
  expect(random).toHaveLength(74);
  for (const at of random) {
    const ones = bits.filter((it) => it[at] === '1').length;
    // Ten times the standard deviation of 2000 tosses.
    expect(Math.abs(ones - 1000)).toBeLessThan(224);
    // In a counter, the higher bits of neighbours are nearly always the same.
    const changes = bits.filter((it, index) => it[at] !== bits[index - 1]?.[at]).length;
    expect(Math.abs(changes - 1000)).toBeLessThan(224);
  }
});
