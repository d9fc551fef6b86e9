import { expect, it } from 'vitest';

import { createRate } from '../../../bridge/lifecycle/rate.ts';

function start(calls = 2) {
  let time = 1000;
  let allowed = calls;
  const rate = createRate({ calls: () => allowed, windowMs: 100, now: () => time });
  return { rate, pass: (ms: number) => void (time += ms), allow: (count: number) => void (allowed = count) };
}

it('lets as many calls start in any window as are allowed, and no more', () => {
  const { rate, pass } = start();
  rate.started();
  pass(40);
  expect(rate.waitMs()).toBe(0);
  rate.started();
  expect(rate.waitMs()).toBe(60);
  pass(60);
  expect(rate.waitMs()).toBe(0);
  rate.started();
  expect(rate.waitMs()).toBe(40);
});

it('follows the plan when that changes', () => {
  const { rate, allow } = start();
  rate.started();
  rate.started();
  expect(rate.waitMs()).toBe(100);
  allow(3);
  expect(rate.waitMs()).toBe(0);
  allow(1);
  expect(rate.waitMs()).toBe(100);
});

it('waits after Puter said that it was too much', () => {
  const { rate, pass } = start();
  rate.backOff(500);
  rate.backOff(200);
  expect(rate.waitMs()).toBe(500);
  pass(500);
  expect(rate.waitMs()).toBe(0);
});
