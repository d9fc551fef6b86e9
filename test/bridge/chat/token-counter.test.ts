import { afterAll, expect, it } from 'vitest';

import { createTokenCounter } from '../../../bridge/chat/token-counter.ts';

const counter = createTokenCounter();
afterAll(() => counter.close());

it('counts as OpenAI’s newer models do, each text by itself', async () => {
  expect(await counter.count(['Hello, world!', '', 'antidisestablishmentarianism'])).toEqual([4, 0, 6]);
});

it('takes what looks like a special token for text', async () => {
  const [tokens] = await counter.count(['<|endoftext|>']);
  expect(tokens).toBeGreaterThan(1);
});

it('keeps the questions apart', async () => {
  const counts = await Promise.all(['a', 'a b', 'a b c'].map((text) => counter.count([text])));
  expect(counts).toEqual([[1], [2], [3]]);
});

it.each([
  ['words', 'lorem ipsum '],
  ['one endless word', 'a'],
  ['a language without spaces', '日本語のテキスト'],
  ['emoji', '👩‍🚀'],
])('counts a megabyte of %s without taking forever, and in proportion', async (_, unit) => {
  const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
  const [part = 0, all = 0] = await counter.count([text.slice(0, 100_000), text]);
  expect(all / part).toBeCloseTo(text.length / 100_000, 0);
});

it('guesses what it was asked when it closes', async () => {
  const closing = createTokenCounter();
  const counts = closing.count(['four letters here']);
  await closing.close();
  expect((await counts)[0]).toBeGreaterThan(0);
  expect(await createTokenCounter().close()).toBeUndefined();
});
