import { describe, expect, it } from 'vitest';

import type { ChatMessage } from '#shared/chat.ts';

import { toPuterMessages } from '../../../extension/puter/puter-messages.ts';

const hello: ChatMessage = { role: 'user', content: 'hello' };
const message = (it: ChatMessage) => toPuterMessages({ messages: [it] })[0];

describe('a message', () => {
  it('that says nothing says a space, since Puter refuses an empty one', () => {
    expect(message({ role: 'user', content: '' })).toEqual({ role: 'user', content: ' ' });
    expect(message({ role: 'assistant', content: '' })).toEqual({ role: 'assistant', content: ' ' });
    expect(message({ role: 'tool', toolCallId: 'a', content: '' })).toMatchObject({ content: ' ' });
  });

  it('that says nothing is told to be empty where Claude answers, who takes no blank text', () => {
    const messages: ChatMessage[] = [
      { role: 'user', content: ' ' },
      { role: 'user', content: [{ type: 'text', text: '' }] },
      { role: 'assistant', content: '\n' },
      { role: 'tool', toolCallId: 'a', content: '' },
    ];
    const contents = toPuterMessages({ messages, model: 'claude-sonnet-5' }).map(({ content }) => content);
    expect(contents).toEqual(messages.map(() => '(empty)'));
  });

  it('has no text that says nothing beside other parts', () => {
    const image = { type: 'image' as const, url: 'https://example.com/a.png' };
    const content = [{ type: 'text' as const, text: '' }, { type: 'text' as const, text: '\n' }, image];
    const partsFor = (model: string) => toPuterMessages({ messages: [{ role: 'user', content }], model })[0]?.content;
    const puterImage = { type: 'image_url', image_url: { url: image.url } };
    expect(partsFor('gpt-5')).toEqual([{ type: 'text', text: '\n' }, puterImage]);
    expect(partsFor('claude-sonnet-5')).toEqual([puterImage]);
  });

  it.each(['gpt-5', 'claude-sonnet-5'])('of the system that says nothing is left out for %s', (model) => {
    const nothing: ChatMessage[] = [
      { role: 'system', content: '' },
      { role: 'system', content: [{ type: 'text', text: '' }] },
    ];
    expect(toPuterMessages({ messages: [...nothing, hello], model })).toEqual([hello]);
  });

  it('of the system that says nothing stays where there is no other', () => {
    expect(message({ role: 'system', content: '' })).toEqual({ role: 'system', content: ' ' });
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

  it('of an assistant is said before what it called, with arguments as values', () => {
    const toolCalls = [
      { id: 'a', name: 'f', arguments: '{"x":[1]}' },
      { id: 'b', name: 'g', arguments: '{"broken' },
      { id: 'c', name: 'h', arguments: '' },
    ];
    const calls = [
      { type: 'tool_use', id: 'a', name: 'f', input: { x: [1] } },
      { type: 'tool_use', id: 'b', name: 'g', input: { text: '{"broken' } },
      { type: 'tool_use', id: 'c', name: 'h', input: {} },
    ];
    const messages = toPuterMessages({
      messages: [
        { role: 'assistant', content: 'Let me see.', toolCalls },
        { role: 'assistant', content: ' ', toolCalls },
      ],
    });
    expect(messages).toEqual([
      { role: 'assistant', content: 'Let me see.' },
      { role: 'assistant', content: calls },
      { role: 'assistant', content: calls },
    ]);
  });

  it('of an assistant has the thoughts in it that its model wants back, and a blank where nobody kept any', () => {
    const toolCalls = [{ id: 'a', name: 'f', arguments: '{}' }];
    const messages: ChatMessage[] = [
      { role: 'assistant', content: 'Let me see.', toolCalls, reasoning: 'I must call f.' },
      { role: 'assistant', content: '', toolCalls },
      { role: 'assistant', content: 'Sunny.', reasoning: '' },
    ];
    const thoughtsFor = (model: string) =>
      toPuterMessages({ messages, model }).map((it) => ('reasoning_content' in it ? it.reasoning_content : null));
    expect(thoughtsFor('deepseek-v4-pro')).toEqual([' ', 'I must call f.', ' ', ' ']);
    // Others may refuse the field.
    expect(thoughtsFor('gpt-5')).toEqual([null, null, null, null]);
  });

  it('of an assistant has its calls signed as Gemini wants them, who is told where a signature was lost', () => {
    const call = { id: 'a', name: 'f', arguments: '{}' };
    const toolCalls = [{ ...call, thoughtSignature: 'sealed' }, call];
    const messages: ChatMessage[] = [{ role: 'assistant', content: '', toolCalls }];
    const contentFor = (model: string) => toPuterMessages({ messages, model })[0]?.content;
    const plain = { type: 'tool_use', id: 'a', name: 'f', input: {} };
    const signed = (signature: string) => ({ ...plain, extra_content: { google: { thought_signature: signature } } });
    expect(contentFor('gemini-3-pro')).toEqual([signed('sealed'), signed('skip_thought_signature_validator')]);
    expect(contentFor('gemini-2.5-pro')).toEqual([signed('sealed'), plain]);
    // Others may refuse the field.
    expect(contentFor('gpt-5')).toEqual([plain, plain]);
  });

  it('of the system further down is said by the user where Claude answers, to whom Puter hands on only the first', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'a' },
      { role: 'system', content: 'b' },
      hello,
      { role: 'system', content: 'c' },
    ];
    const roles = (model: string) => toPuterMessages({ messages, model }).map(({ role }) => role);
    expect(roles('claude-sonnet-5')).toEqual(['system', 'system', 'user', 'user']);
    expect(roles('gpt-5')).toEqual(['system', 'system', 'user', 'system']);
  });

  it('with audio and files has OpenAI’s parts, and documents for Claude', () => {
    const url = 'data:application/pdf;base64,JVBE';
    const content = [
      { type: 'audio' as const, data: 'UklG', format: 'wav' },
      { type: 'file' as const, url, name: 'a.pdf' },
      { type: 'file' as const, url },
    ];
    const partsFor = (model: string) => toPuterMessages({ messages: [{ role: 'user', content }], model })[0]?.content;
    expect(partsFor('gpt-5')).toEqual([
      { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
      { type: 'file', file: { file_data: url, filename: 'a.pdf' } },
      { type: 'file', file: { file_data: url } },
    ]);
    expect(partsFor('claude-sonnet-5')?.[1]).toEqual({
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' },
    });
  });

  it('of a tool names the call that it answers', () => {
    const it = message({ role: 'tool', toolCallId: 'a', content: 'Sunny.' });
    expect(it).toEqual({ role: 'tool', tool_call_id: 'a', content: 'Sunny.' });
  });
});

describe('several calls in one message', () => {
  const calls = ['a', 'b', 'c'].map((id) => ({ id, name: 'f', arguments: '{}' }));
  const result = (toolCallId: string): ChatMessage => ({ role: 'tool', toolCallId, content: toolCallId });
  const messages: ChatMessage[] = [
    hello,
    { role: 'assistant', content: 'Let me see.', toolCalls: calls },
    ...['b', 'a', 'c'].map(result),
    { role: 'assistant', content: 'Again.', toolCalls: calls.slice(0, 1) },
    result('a'),
    hello,
  ];
  const called = (...ids: string[]) => ({
    role: 'assistant',
    content: ids.map((id) => ({ type: 'tool_use', id, name: 'f', input: {} })),
  });
  const answered = (id: string) => ({ role: 'tool', tool_call_id: id, content: id });

  it('are told one by one, each with what it came to, where Puter hands on but one of a message', () => {
    expect(toPuterMessages({ messages, model: 'gpt-5-codex' })).toEqual([
      hello,
      { role: 'assistant', content: 'Let me see.' },
      ...['a', 'b', 'c'].flatMap((id) => [called(id), answered(id)]),
      ...[{ role: 'assistant', content: 'Again.' }, called('a'), answered('a')],
      hello,
    ]);
  });

  it('stay together for all others', () => {
    const told = toPuterMessages({ messages, model: 'gpt-5' });
    expect(told.slice(2, 6)).toEqual([called('a', 'b', 'c'), ...['b', 'a', 'c'].map(answered)]);
  });
});
