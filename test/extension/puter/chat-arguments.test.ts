import { describe, expect, it } from 'vitest';

import type { ChatMessage, ChatRequest } from '#shared/chat.ts';

import { isBeyondChat, toPuterArguments } from '../../../extension/puter/chat-arguments.ts';

const hello: ChatMessage = { role: 'user', content: 'hello' };
const tools = [{ name: 'f', parameters: { type: 'object' } }];

describe('the options of a call', () => {
  it('are those that were given, in Puter’s spelling', () => {
    const chat: ChatRequest = {
      messages: [hello],
      model: 'm',
      temperature: 0,
      topP: 0.5,
      maxTokens: 5,
      reasoningEffort: 'low',
      verbosity: 'high',
    };
    expect(toPuterArguments(chat).options).toEqual({
      stream: true,
      model: 'm',
      temperature: 0,
      top_p: 0.5,
      max_tokens: 5,
      reasoning_effort: 'low',
      verbosity: 'high',
    });
    expect(toPuterArguments({ messages: [hello] }).options).toEqual({ stream: true });
  });

  it('leave the effort out where an older Claude goes on from a call whose thoughts it would want back', () => {
    const called: ChatMessage[] = [
      hello,
      { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'a', content: 'x' },
    ];
    const over: ChatMessage[] = [...called, { role: 'assistant', content: 'Sunny.' }, hello];
    const effortOf = (model: string, messages: ChatMessage[]) =>
      toPuterArguments({ model, messages, reasoningEffort: 'high' }).options['reasoning_effort'];
    expect(effortOf('claude-sonnet-4-5', called)).toBeUndefined();
    expect(effortOf('claude-sonnet-4-5', [...called, hello])).toBeUndefined();
    expect(effortOf('claude-sonnet-4-5', [hello])).toBe('high');
    expect(effortOf('claude-sonnet-4-5', over)).toBe('high');
    expect(effortOf('claude-sonnet-5', called)).toBe('high');
    expect(effortOf('gpt-5', called)).toBe('high');
  });

  it('offer tools as OpenAI does', () => {
    expect(toPuterArguments({ messages: [hello], tools }).options['tools']).toEqual([
      { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
    ]);
  });
});

describe('what puter.ai.chat() would drop', () => {
  it.each([
    [{ topP: 1 }, { top_p: 1 }],
    [{ toolChoice: 'required' as const }, { tool_choice: 'required' }],
    [{ parallelToolCalls: false }, { parallel_tool_calls: false }],
  ])('goes to its driver directly: %j', (change, expected) => {
    const { options } = toPuterArguments({ messages: [hello], ...change });
    expect(options).toMatchObject(expected);
    expect(isBeyondChat(options)).toBe(true);
  });

  it('is nothing that most calls have', () => {
    const chat = { messages: [hello], tools, model: 'm', temperature: 0, maxTokens: 1, verbosity: 'low' };
    expect(isBeyondChat(toPuterArguments(chat).options)).toBe(false);
  });

  it('is not how a format is asked for', () => {
    const responseFormat = {
      type: 'json_schema' as const,
      name: 'n',
      description: 'd',
      schema: { type: 'object' },
      strict: true,
    };
    const { options } = toPuterArguments({ messages: [hello], responseFormat });
    expect(options).toMatchObject({ text: { format: responseFormat } });
    expect(isBeyondChat(options)).toBe(false);
    const object = toPuterArguments({ messages: [hello], responseFormat: { type: 'json_object' } });
    expect(object.options).toMatchObject({ text: { format: { type: 'json_object' } } });
  });
});
