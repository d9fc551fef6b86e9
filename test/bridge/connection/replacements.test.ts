import { expect, it } from 'vitest';

import { createReplacements } from '../../../bridge/connection/replacements.ts';

it('a profile’s page is replaced three times in a minute, and no more until the first of them is a minute ago', () => {
  let time = 0;
  const replacements = createReplacements(() => time);
  const ask = (at: number, profile = 'a') => {
    time = at;
    return replacements.ask(profile);
  };
  expect([ask(0), ask(10_000), ask(20_000)]).toEqual([null, null, null]);
  expect(ask(20_000)).toEqual({ retryAfterMs: 40_000 });
  expect(ask(59_999)).toEqual({ retryAfterMs: 1 });
  expect(ask(59_999, 'b')).toBeNull();
  expect(ask(60_000)).toBeNull();
  expect(ask(60_000)).toEqual({ retryAfterMs: 10_000 });
});
