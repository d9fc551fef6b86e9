import { expect, it } from 'vitest';

import { createPingCount } from '../../../bridge/connection/ping-count.ts';

it('counts pings anew every second', () => {
  let now = 0;
  const isWelcome = createPingCount(2, () => now);
  const three = () => [isWelcome(), isWelcome(), isWelcome()];
  expect(three()).toEqual([true, true, false]);
  now = 999;
  expect(isWelcome()).toBe(false);
  now = 1000;
  expect(three()).toEqual([true, true, false]);
  now = 60_000;
  expect(three()).toEqual([true, true, false]);
});
