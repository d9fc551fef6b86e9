import { describe, expect, it } from 'vitest';

import type { ChatMessage } from '#shared/chat.ts';
import { isSafeToStream } from '#shared/streaming.ts';

const hello: ChatMessage = { role: 'user', content: 'hello' };
const tools = [{ name: 'f', parameters: { type: 'object' } }];

describe('a stream', () => {
  it.each(['gpt-5', 'openai/gpt-5', 'openrouter:anthropic/claude-sonnet-4', undefined])(
    'could lose calls of tools where %s answers',
    (model) => {
      const chat = { messages: [hello], ...(model !== undefined && { model }) };
      expect(isSafeToStream({ ...chat, tools })).toBe(false);
      expect(isSafeToStream({ ...chat, tools: [] })).toBe(true);
      expect(isSafeToStream(chat)).toBe(true);
    },
  );

  it.each(['claude-sonnet-5', 'anthropic:anthropic/claude-opus-5'])('loses none where %s answers', (model) => {
    expect(isSafeToStream({ messages: [hello], tools, model })).toBe(true);
  });
});

it('JSON is asked for whole: a stream does not say that it was cut off', () => {
  const responseFormat = { type: 'json_object' } as const;
  expect(isSafeToStream({ messages: [hello], responseFormat, model: 'claude-sonnet-5' })).toBe(false);
});
