import { describe, expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';

import { prepare } from '../../../bridge/chat/prepare.ts';

const messages: ChatRequest['messages'] = [{ role: 'user', content: 'hi' }];
const tools = [{ name: 'f' }, { name: 'g' }];
const systemOf = ({ messages: [first] }: ChatRequest): unknown => (first?.role === 'system' ? first.content : null);

describe('a choice of tools', () => {
  it('that is left to the model is nothing to say', () => {
    expect(prepare({ messages, tools })).toEqual({ messages, tools });
    expect(prepare({ messages, tools, toolChoice: 'auto' })).toEqual({ messages, tools });
    expect(prepare({ messages, toolChoice: 'auto' })).toEqual({ messages });
  });

  it('of none shows none', () => {
    expect(prepare({ messages, tools, toolChoice: 'none' })).toEqual({ messages });
    expect(prepare({ messages, toolChoice: 'none' })).toEqual({ messages });
  });

  it('of any is asked for both ways', () => {
    const prepared = prepare({ messages, tools, toolChoice: 'required' });
    expect(prepared).toMatchObject({ tools, toolChoice: 'required' });
    expect(systemOf(prepared)).toBe('Answer with a call of at least one of the tools, and with nothing else.');
  });

  it('of one shows that one alone', () => {
    const prepared = prepare({ messages, tools, toolChoice: { name: 'g' } });
    expect(prepared).toMatchObject({ tools: [{ name: 'g' }], toolChoice: 'required' });
    expect(systemOf(prepared)).toBe('Answer with a call of the tool “g”, and with nothing else.');
  });

  it.each([{ toolChoice: 'required' as const }, { tools, toolChoice: { name: 'h' } }])(
    'that nothing can fulfil is refused: %j',
    (change) => {
      expect(() => prepare({ messages, ...change })).toThrow(
        expect.objectContaining({ failure: expect.objectContaining({ param: 'tool_choice' }) as object }) as Error,
      );
    },
  );
});

describe('a format', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } } };
  const responseFormat = { type: 'json_schema' as const, name: 'place', description: 'A place', schema, strict: true };

  it('is asked for in words, with the schema, and goes on to Puter as well', () => {
    const prepared = prepare({ messages, responseFormat });
    expect(prepared).toMatchObject({ responseFormat });
    expect(systemOf(prepared)).toContain(JSON.stringify(schema));
    expect(systemOf(prepared)).toContain('“place” (A place)');
    expect(prepared.messages.slice(1)).toEqual(messages);
  });

  it('is added to what the system says first, text or parts', () => {
    const json = { type: 'json_object' as const };
    const said = (content: Extract<ChatRequest['messages'][0], { role: 'system' }>['content']) =>
      systemOf(
        prepare({
          messages: [{ role: 'system', content }, ...messages],
          responseFormat: json,
        }),
      );
    expect(said('Be brief.')).toMatch(/^Be brief\.\n\nAnswer with one JSON object/);
    expect(said([{ type: 'text', text: 'Be brief.' }])).toEqual([
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: expect.stringMatching(/^Answer with one JSON object/) as string },
    ]);
  });
});
