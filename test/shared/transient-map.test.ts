import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createTransientMap } from '#shared/transient-map.ts';

const steps = fc.array(fc.tuple(fc.constantFrom('set', 'delete'), fc.constantFrom('a', 'b', 'c', 'd'), fc.nat()));

describe('a transient map', () => {
  it('holds what a map does, in the same order', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const [map, model] = [createTransientMap<number>(), new Map<string, number>()];
        for (const [step, key, value] of all) {
          const [did, should] = [map, model].map((it) => step === 'delete' && it.delete(key));
          expect(did).toBe(should);
          if (step === 'set') for (const it of [map, model]) it.set(key, value);
          expect([...map.values()]).toEqual([...model.values()]);
          expect([map.size, map.has(key), map.get(key)]).toEqual([model.size, model.has(key), model.get(key)]);
        }
      }),
    );
  });

  it('frees what is gone, where a map of V8’s keeps it for long', () => {
    const left = (kind: 'own' | 'plain'): number =>
      Number(
        execFileSync(
          process.execPath,
          ['--max-semi-space-size=1', '--min-semi-space-size=1', '--initial-old-space-size=400', churn, kind],
          { encoding: 'utf8' },
        ),
      );
    expect(left('own')).toBeLessThan(left('plain') / 2);
  });
});

const churn = fileURLToPath(new URL('churn.ts', import.meta.url));
