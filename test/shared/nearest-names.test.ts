import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nearestNames } from '#shared/nearest-names.ts';

const names = ['openai/gpt-5', 'openai/gpt-5-mini', 'openai/gpt-4o-mini', 'gpt-4o-mini', 'claude-sonnet-4', 'o3'];

describe('the nearest names', () => {
  it.each([
    ['a letter too few', 'gpt-4o-mni', 'gpt-4o-mini'],
    ['other capitals', 'Claude-Sonnet-4', 'claude-sonnet-4'],
    ['a provider left out', 'gpt-5', 'openai/gpt-5'],
    ['the beginning only', 'claude', 'claude-sonnet-4'],
    ['a version that does not exist', 'claude-sonnet-5', 'claude-sonnet-4'],
  ])('begin with the right one after %s', (_, wanted, meant) => {
    expect(nearestNames(wanted, names)[0]).toBe(meant);
  });

  it('begin with the right one after a letter too few behind a provider', () => {
    expect(nearestNames('openai/gpt-4o-mni', names)[0]).toBe('openai/gpt-4o-mini');
  });

  it('are none where nothing is near', () => {
    expect(nearestNames('llama-3.3-70b', names)).toEqual([]);
    expect(nearestNames('gpt-5', [])).toEqual([]);
    const long = 'gpt-5'.repeat(100);
    expect(nearestNames(long, [`${long}0`])).toEqual([]);
  });

  it('put the shortest first among equals', () => {
    expect(nearestNames('gpt-5', names)).toEqual(['openai/gpt-5', 'openai/gpt-5-mini']);
  });

  it('are at most three, all different, all of the list, and the exact one first', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '-'), maxLength: 6 });
    fc.assert(
      fc.property(name, fc.array(name), (wanted, list) => {
        const nearest = nearestNames(wanted, [...list, wanted]);
        expect(nearest.length).toBeLessThanOrEqual(3);
        expect(new Set(nearest).size).toBe(nearest.length);
        for (const found of nearest) expect([...list, wanted]).toContain(found);
        expect(nearest[0]).toBe(wanted);
      }),
    );
  });
});
