import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isDeeperThan } from '../../../bridge/http/json-depth.ts';

/** How deep objects and arrays stand in each other. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the depth of JSON', () => {
  it('is that of the value, whatever its texts are', () => {
    const text = fc.oneof(fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', ']', '}', 'a') }), fc.string());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        text,
        fc.integer(),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(text, tie('tree'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.nat({ max: 8 }), fc.constantFrom(undefined, 2), (value, max, indent) => {
        expect(isDeeperThan(max, JSON.stringify(value, null, indent))).toBe(depthOf(value) > max);
      }),
      { numRuns: 2000 },
    );
  });

  it('of what is no JSON is any, and found all the same', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof isDeeperThan(3, text)).toBe('boolean');
      }),
    );
  });
});
