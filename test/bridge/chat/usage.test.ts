import { describe, expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';

import type { WholeAnswer } from '../../../bridge/chat/collect.ts';
import { withUsage } from '../../../bridge/chat/usage.ts';

/** Counts letters, and remembers which. */
function createCounter() {
  const counted: string[] = [];
  return {
    counted,
    async count(texts: readonly string[]) {
      counted.push(...texts);
      return texts.map((text) => text.length);
    },
    close: async () => {},
  };
}

const request: ChatRequest = { messages: [{ role: 'user', content: 'Say hello.' }] };
const answer: WholeAnswer = {
  text: 'Hello!',
  reasoning: '',
  refusal: null,
  toolCalls: [],
  finishReason: 'stop',
  model: null,
  usage: null,
};

describe('the usage of an answer', () => {
  it('is what Puter told, and nothing is counted then', async () => {
    const counter = createCounter();
    const told = { ...answer, usage: { inputTokens: 3, outputTokens: 5 } };
    expect(await withUsage(told, request, counter)).toEqual(told);
    expect(counter.counted).toEqual([]);
  });

  it('is estimated where Puter told none, with four tokens for each message', async () => {
    const usage = { inputTokens: 14, outputTokens: 6, isEstimated: true };
    expect(await withUsage(answer, request, createCounter())).toEqual({ ...answer, usage });
  });

  it('counts what a model thought and the tools it called, too', async () => {
    const counter = createCounter();
    const call = { id: '1', name: 'add', arguments: '{"a":1}' };
    await withUsage({ ...answer, reasoning: 'Hm. ', toolCalls: [call] }, request, counter);
    expect(counter.counted).toEqual(['Say hello.', 'Hm. Hello!add{"a":1}']);
  });

  it('takes the rest of a very long answer to be like its beginning', async () => {
    const counter = createCounter();
    const { usage } = await withUsage({ ...answer, text: 'word '.repeat(100_000) }, request, counter);
    expect(counter.counted[1]).toHaveLength(200_000);
    expect(usage?.outputTokens).toBe(500_000);
  });

  it('is nothing for an answer that says nothing', async () => {
    expect((await withUsage({ ...answer, text: '' }, request, createCounter())).usage?.outputTokens).toBe(0);
  });
});
