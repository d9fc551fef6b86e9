import { describe, expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';

import { addUsage, estimateUsage } from '../../../bridge/chat/usage.ts';
import { wholeAnswer } from './whole-answer.ts';

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

describe('the usage of an answer that Puter does not tell', () => {
  it('is what was counted, with four tokens for each message', async () => {
    const usage = { inputTokens: 14, outputTokens: 6, isEstimated: true };
    expect(await estimateUsage(wholeAnswer('Hello!'), request, createCounter())).toEqual(usage);
  });

  it('counts what a model thought and the tools it called, too', async () => {
    const counter = createCounter();
    const toolCalls = [{ id: '1', name: 'add', arguments: '{"a":1}' }];
    const usage = await estimateUsage(wholeAnswer('Hello!', { reasoning: 'Hm. ', toolCalls }), request, counter);
    expect(counter.counted).toEqual(['Say hello.', 'Hm. ', 'Hello!', 'add{"a":1}']);
    expect(usage.outputTokens).toBe(20);
  });

  it('is nothing for an answer that says nothing', async () => {
    expect((await estimateUsage(wholeAnswer(''), request, createCounter())).outputTokens).toBe(0);
  });
});

describe('the usage of two calls together', () => {
  const usage = { inputTokens: 10, outputTokens: 2 };

  it('is the sum of all they tell', () => {
    const cached = { ...usage, cachedTokens: 8 };
    expect(addUsage(usage, usage)).toEqual({ inputTokens: 20, outputTokens: 4 });
    expect(addUsage(cached, usage)).toEqual({ inputTokens: 20, outputTokens: 4, cachedTokens: 8 });
    expect(addUsage(cached, { ...cached, isEstimated: true })).toEqual({
      ...{ inputTokens: 20, outputTokens: 4, cachedTokens: 16 },
      isEstimated: true,
    });
  });

  it('is that of the one where nobody knows of the other', () => {
    expect(addUsage(null, usage)).toBe(usage);
    expect(addUsage(usage, null)).toBe(usage);
  });
});
