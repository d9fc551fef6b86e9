import { describe, expect, it } from 'vitest';

import type { ChatMessage, ChatRequest } from '#shared/chat.ts';

import { isSafeToStream, toPuterArguments } from '../../../extension/puter/chat-arguments.ts';

const hello: ChatMessage = { role: 'user', content: 'hello' };
const tools = [{ name: 'f', parameters: { type: 'object' } }];
const message = (it: ChatMessage) => toPuterArguments({ messages: [it] }).messages[0];

describe('the options of a call', () => {
  it('are those that were given, in Puter’s spelling', () => {
    const chat: ChatRequest = {
      messages: [hello],
      model: 'm',
      temperature: 0,
      maxTokens: 5,
      reasoningEffort: 'low',
      verbosity: 'high',
    };
    expect(toPuterArguments(chat).options).toEqual({
      stream: true,
      model: 'm',
      temperature: 0,
      max_tokens: 5,
      reasoning_effort: 'low',
      verbosity: 'high',
    });
    expect(toPuterArguments({ messages: [hello] }).options).toEqual({ stream: true });
  });

  it('offer tools as OpenAI does', () => {
    expect(toPuterArguments({ messages: [hello], tools }).options['tools']).toEqual([
      { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
    ]);
  });
});

describe('a stream', () => {
  it.each(['gpt-5', 'openai/gpt-5', 'my-claude-like', undefined])(
    'could lose calls of tools where %s answers',
    (model) => {
      const chat = { messages: [hello], ...(model !== undefined && { model }) };
      expect(isSafeToStream({ ...chat, tools })).toBe(false);
      expect(isSafeToStream({ ...chat, tools: [] })).toBe(true);
      expect(isSafeToStream(chat)).toBe(true);
    },
  );

  it.each(['claude-sonnet-5', 'anthropic/claude-opus-5', 'openrouter:anthropic/Claude-3', 'CLAUDE'])(
    'loses none where %s answers',
    (model) => {
      expect(isSafeToStream({ messages: [hello], tools, model })).toBe(true);
    },
  );
});

describe('a message', () => {
  it('that says nothing says a space, since Puter refuses an empty one', () => {
    expect(message({ role: 'user', content: '' })).toEqual({ role: 'user', content: ' ' });
    expect(message({ role: 'assistant', content: '' })).toEqual({ role: 'assistant', content: ' ' });
    expect(message({ role: 'tool', toolCallId: 'a', content: '' })).toMatchObject({ content: ' ' });
  });

  it('with images has parts', () => {
    const content = [
      { type: 'text' as const, text: 'look' },
      { type: 'image' as const, url: 'https://example.com/a.png', detail: 'high' as const },
      { type: 'image' as const, url: 'data:image/png;base64,AA==' },
    ];
    expect(message({ role: 'user', content })).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      ],
    });
  });

  it('of an assistant has what it said before what it called, with arguments as values', () => {
    const toolCalls = [
      { id: 'a', name: 'f', arguments: '{"x":[1]}' },
      { id: 'b', name: 'g', arguments: '{"broken' },
    ];
    expect(message({ role: 'assistant', content: 'Let me see.', toolCalls })).toEqual({
      role: 'assistant',
      content: [
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'a', name: 'f', input: { x: [1] } },
        { type: 'tool_use', id: 'b', name: 'g', input: { text: '{"broken' } },
      ],
    });
  });

  it('of a tool names the call that it answers', () => {
    const it = message({ role: 'tool', toolCallId: 'a', content: 'Sunny.' });
    expect(it).toEqual({ role: 'tool', tool_call_id: 'a', content: 'Sunny.' });
  });
});
