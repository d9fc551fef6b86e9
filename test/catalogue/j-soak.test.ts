import { expect, it } from 'vitest';

import { runSoak } from '../soak/soak.ts';

/** A short one of `npm run soak`, which also looks at how the memory goes. */
it(
  'J11 after all that callers do and leave undone, nothing is pending and nothing is open',
  { timeout: 120_000 },
  async () => {
    const { samples, endings, troubles } = await runSoak({
      ...{ minutes: 0.15, rps: 20, seed: 11, sampleEveryMs: 9000 },
      signal: new AbortController().signal,
    });
    expect(troubles).toEqual([]);
    expect(samples.at(-1)).toMatchObject({ pending: 0 });
    expect(samples.at(-1)?.requests).toBeGreaterThan(150);
    for (const ending of ['answered', 'cut', 'cancelled', 'error timed_out'])
      expect(endings.get(ending)).toBeGreaterThan(0);
  },
);
