import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { drawCode, readCode, showCode } from '#shared/pairing/code.ts';

describe('a code', () => {
  it('is eight characters of thirty, each as likely as any other', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 3000; n += 1) {
      const code = drawCode(randomBytes);
      expect(code).toMatch(/^[2-9A-HJKMNP-TV-Z]{8}$/);
      for (const character of code) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(30);
    // 800 of each on average; six standard deviations around that.
    for (const count of counts.values()) expect(Math.abs(count - 800)).toBeLessThan(170);
  });

  it('passes over what would come too often', () => {
    const bytes = [255, 240, 0, 1, 2, 3, 239, 5, 6, 7];
    expect(drawCode(() => Uint8Array.of(bytes.shift() ?? 0))).toBe('2345Z789');
  });

  it('is shown in two halves, and read as it was shown', () => {
    expect(showCode('K7QM2XRD')).toBe('K7QM-2XRD');
    for (let n = 0; n < 100; n += 1) {
      const code = drawCode(randomBytes);
      expect(readCode(showCode(code))).toBe(code);
    }
  });

  it.each(['K7QM2XRD', 'k7qm-2xrd', ' K7QM 2XRD\n', 'K7QM–2XRD', 'K-7-Q-M-2-X-R-D', 'k7qm—2xrd\t'])(
    'is read from %j',
    (typed) => expect(readCode(typed)).toBe('K7QM2XRD'),
  );

  it.each([
    '',
    'K7QM2XR',
    'K7QM2XRDD',
    'K7QM2XR0',
    'K7QM2XRO',
    'K7QM2XR1',
    'K7QM2XRI',
    'K7QM2XRL',
    'K7QM2XRU',
    'ÄÖÜß€🦊xx',
  ])('is nothing in %j', (typed) => expect(readCode(typed)).toBeNull());

  it('is read from nothing else, quickly', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), (typed) => {
        expect(readCode(typed) ?? '22222222').toMatch(/^[2-9A-HJKMNP-TV-Z]{8}$/);
      }),
    );
    expect(readCode('-'.repeat(1_000_000))).toBeNull();
  });
});
