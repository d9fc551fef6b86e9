import { expect, it } from 'vitest';

import { createRate } from '../../../bridge/lifecycle/rate.ts';

const allowed = 2;

function start() {
  let time = 1000;
  const rate = createRate({ windowMs: 100, now: () => time });
  return { rate, pass: (ms: number) => void (time += ms) };
}

it('lets as many calls start in any window as are allowed, and no more', () => {
  const { rate, pass } = start();
  rate.started();
  pass(40);
  expect(rate.waitMs(allowed)).toBe(0);
  rate.started();
  expect(rate.waitMs(allowed)).toBe(60);
  pass(60);
  expect(rate.waitMs(allowed)).toBe(0);
  rate.started();
  expect(rate.waitMs(allowed)).toBe(40);
});

it('follows the plan when that changes', () => {
  const { rate } = start();
  rate.started();
  rate.started();
  expect(rate.waitMs(2)).toBe(100);
  expect(rate.waitMs(3)).toBe(0);
  expect(rate.waitMs(1)).toBe(100);
});

it('is over once nothing of it matters any more', () => {
  const { rate, pass } = start();
  expect(rate.isOver()).toBe(true);
  rate.started();
  rate.backOff(150);
  pass(100);
  expect(rate.isOver()).toBe(false);
  pass(50);
  expect(rate.isOver()).toBe(true);
});

it('waits after Puter said that it was too much', () => {
  const { rate, pass } = start();
  rate.backOff(500);
  rate.backOff(200);
  expect(rate.waitMs(allowed)).toBe(500);
  pass(500);
  expect(rate.waitMs(allowed)).toBe(0);
});
