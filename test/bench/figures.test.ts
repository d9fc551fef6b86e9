import { describe, expect, it } from 'vitest';

import { judge, type Budget } from './budget.ts';
import { compare, createFigures, summarise } from './figures.ts';

describe('figures', () => {
  it('are summarised by their median, also of an even number', () => {
    expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  it('are compared within a round, so that a slow round tells nothing', () => {
    const ratios = compare([2, 20, 2], [1, 10, 1], (value, reference) => value / reference);
    expect(ratios).toEqual({ median: 2, min: 2, max: 2 });
  });
});

describe('a budget', () => {
  const figures = createFigures();
  figures.note('wait (ms)', 'bare', 1);
  figures.note('wait (ms)', 'bridge', 2);
  const budget: Budget = { figure: 'wait (ms)', who: 'bridge', over: 'bare', how: 'ratio', must: 2, aim: 1.5 };

  it('is met up to its must, and its aim is another matter', () => {
    expect(judge(budget, figures)).toMatchObject({ value: { median: 2 }, verdict: 'met' });
    expect(judge({ ...budget, must: 1.9 }, figures)).toMatchObject({ verdict: 'missed' });
    expect(judge({ ...budget, aim: 2 }, figures)).toMatchObject({ verdict: 'aim' });
  });

  it('can be a floor, a difference or a value by itself', () => {
    expect(judge({ ...budget, isFloor: true, must: 2.1, aim: 3 }, figures)).toMatchObject({ verdict: 'missed' });
    expect(judge({ ...budget, how: 'added', must: 1, aim: 0 }, figures)).toMatchObject({ verdict: 'met' });
    const alone: Budget = { figure: 'wait (ms)', who: 'bridge', how: 'itself', must: 1, aim: 0 };
    expect(judge(alone, figures)).toMatchObject({ value: { median: 2 }, verdict: 'missed' });
  });

  it('says nothing of what was not measured, and is missed by what is no number', () => {
    expect(judge({ ...budget, figure: 'another' }, figures)).toBeNull();
    figures.note('memory', 'bridge', Number.NaN);
    expect(judge({ figure: 'memory', who: 'bridge', how: 'itself', must: 1, aim: 1 }, figures)).toMatchObject({
      verdict: 'missed',
    });
  });
});
