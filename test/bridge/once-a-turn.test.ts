import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { onceATurn } from '../../bridge/once-a-turn.ts';

it('acts once a turn however often it is called, and again in the next', async () => {
  let acted = 0;
  const act = onceATurn(() => (acted += 1));
  act();
  act();
  expect(acted).toBe(0);
  await nextTurn();
  expect(acted).toBe(1);
  await nextTurn();
  expect(acted).toBe(1);
  act();
  await nextTurn();
  expect(acted).toBe(2);
});

it('acts again for what changes while it acts', async () => {
  let acted = 0;
  const act = onceATurn(() => {
    acted += 1;
    if (acted === 1) act();
  });
  act();
  await nextTurn();
  await nextTurn();
  expect(acted).toBe(2);
});
