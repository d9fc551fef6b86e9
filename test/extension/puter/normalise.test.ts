import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AnswerEnd, AnswerPart, ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { createStreamReader, readWhole } from '../../../extension/puter/normalise.ts';
import { readCaptures } from '../../puter/capture.ts';

const chat: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const usage = { inputTokens: 11, outputTokens: 7 };
const usageLine = { type: 'usage', usage: { prompt: 11, completion: 7 } };

function readLines(lines: readonly unknown[], asked = chat): { parts: AnswerPart[]; end: AnswerEnd } {
  const parts: AnswerPart[] = [];
  const reader = createStreamReader(asked, (part) => parts.push(part));
  for (const line of lines) reader.read(line);
  return { parts, end: reader.end() };
}

function readOne(value: unknown, asked = chat): { parts: AnswerPart[]; end: AnswerEnd } {
  const parts: AnswerPart[] = [];
  const end = readWhole(value, asked, (part) => parts.push(part));
  return { parts, end };
}

const captures = new Map(readCaptures().map((capture) => [capture.name, capture.answer.body]));
const linesOf = (name: string): unknown[] =>
  (captures.get(name) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
const wholeOf = (name: string): unknown => {
  const body: { result: unknown } = JSON.parse(captures.get(name) ?? '');
  return body.result;
};

const text = (text: string): AnswerPart => ({ type: 'text', text });
const reasoning = (text: string): AnswerPart => ({ type: 'reasoning', text });
const call = (id: string, name: string, args: string): AnswerPart => ({ type: 'tool_call', id, name, arguments: args });

describe('what Puter really answered', () => {
  it.each<[string, AnswerPart[], AnswerEnd['finishReason']]>([
    ['stub-stream', [text('Hello'), text(' from'), text(' stub')], 'stop'],
    ['stub-reason-stream', [reasoning('think '), reasoning('think'), text('4'), text('2')], 'stop'],
    ['stub-tool1-stream', [call('call_a', 'get_weather', '{"city":"Paris"}')], 'tool_calls'],
    ['stub-tools-stream-parallel', [text('Let me check. '), call('call_b', 'get_time', '{"tz":"CET"}')], 'tool_calls'],
  ])('as the stream %s is understood', (name, parts, finishReason) => {
    expect(readLines(linesOf(name))).toEqual({ parts, end: { finishReason, model: 'm', usage } });
  });

  it.each<[string, AnswerPart[], AnswerEnd['finishReason']]>([
    ['stub-nonstream', [text('You said: [{"type":"text","text":"hi there"}]')], 'stop'],
    ['stub-reason-nonstream', [reasoning('think think'), text('42')], 'stop'],
    [
      'stub-tools-nonstream',
      [call('call_a', 'get_weather', '{"city":"Paris"}'), call('call_b', 'get_time', '{"tz":"CET"}')],
      'tool_calls',
    ],
  ])('in one piece as %s is understood', (name, parts, finishReason) => {
    expect(readOne(wholeOf(name))).toEqual({ parts, end: { finishReason, model: 'm', usage } });
  });

  it('as a stream whose usage says nothing is whole all the same', () => {
    const { parts, end } = readLines(linesOf('fake-stream'));
    expect(parts).toEqual([text(expect.stringMatching(/^In dolore consequat/) as string)]);
    expect(end).toEqual({ finishReason: 'stop', model: 'm', usage: null });
  });

  it('in the words of Claude tells its own model', () => {
    const { parts, end } = readOne(wholeOf('fake-nonstream'), { messages: [] });
    expect(parts).toEqual([text(expect.stringMatching(/^Proident commodo/) as string)]);
    expect(end).toMatchObject({ finishReason: 'stop', model: 'fake' });
  });

  it('as a stream that broke fails, after the text that had come', () => {
    const parts: AnswerPart[] = [];
    const reader = createStreamReader(chat, (part) => parts.push(part));
    const [first, broken] = linesOf('stub-drop-stream');
    reader.read(first);
    expect(parts).toEqual([text('partial ')]);
    expect(() => reader.read(broken)).toThrow(BridgeError);
    expect(() => reader.read(broken)).toThrow('Puter broke the answer off: terminated');
  });
});

describe('a stream', () => {
  it('gives the same text however it is cut into lines', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (pieces) => {
        const lines = pieces.map((text) => ({ type: 'text', text }));
        const { parts } = readLines([...lines, usageLine]);
        expect(parts.map((part) => (part.type === 'text' ? part.text : '')).join('')).toBe(pieces.join(''));
        expect(parts).not.toContainEqual(text(''));
      }),
    );
  });

  it('without a usage line was cut off', () => {
    for (const lines of [[], [{ type: 'text', text: 'half' }]]) {
      expect(() => readLines(lines)).toThrow(
        expect.objectContaining({
          code: 'upstream_failed',
          message: expect.stringContaining('before the answer was whole'),
        }),
      );
    }
  });

  it('says what Puter said where it breaks off, shortened', () => {
    const error = { type: 'error', message: 'x'.repeat(1000) };
    expect(() => readLines([error])).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ upstream: { message: 'x'.repeat(500) } }) }),
    );
  });

  it('leaves out what is not understood, and never breaks over it', () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constantFrom('image', 'compaction', '__proto__'), text: fc.string() }),
      fc.record({ type: fc.constantFrom('text', 'reasoning', 'tool_use'), text: fc.integer(), id: fc.integer() }),
    );
    fc.assert(
      fc.property(fc.array(odd), (lines) => {
        expect(readLines([...lines, usageLine])).toEqual({
          parts: [],
          end: { finishReason: 'stop', model: 'm', usage },
        });
      }),
    );
  });

  it.each([{ input: null }, {}])('with a tool that takes nothing calls it with an empty object: %j', (given) => {
    const line = { type: 'tool_use', id: 'c', name: 'now', ...given };
    const { parts, end } = readLines([line, usageLine]);
    expect(parts).toEqual([call('c', 'now', '{}')]);
    expect(end.finishReason).toBe('tool_calls');
  });

  it('whose provider counted nothing is whole all the same', () => {
    const { end } = readLines([
      { type: 'text', text: 'x' },
      { type: 'usage', finish_reason: 'length' },
    ]);
    expect(end).toEqual({ finishReason: 'length', model: 'm', usage: null });
  });

  it('with a usage that makes no sense is an answer all the same', () => {
    const line = { type: 'usage', usage: { prompt: -1, completion: 7 } };
    expect(readLines([{ type: 'text', text: 'Hi' }, line])).toMatchObject({
      parts: [text('Hi')],
      end: { usage: null },
    });
  });

  it('keeps the last usage, wherever it stands', () => {
    const early = { type: 'usage', usage: { prompt: 1, completion: 1 } };
    expect(readLines([early, { type: 'text', text: 'a' }, usageLine]).end.usage).toEqual(usage);
  });

  it('names no model where none was asked for', () => {
    expect(readLines([usageLine], { messages: [] }).end.model).toBeNull();
  });
});

describe('an answer in one piece', () => {
  const message = (change: object) => ({ message: { role: 'assistant', ...change }, finish_reason: 'stop' });

  it('may be made of parts', () => {
    const content = [
      { type: 'thinking', thinking: 'Hmm' },
      { type: 'text', text: 'Hi' },
      { type: 'image', url: 'x' },
      { type: 'tool_use', id: 'c', name: 'n', input: { a: 1 } },
    ];
    const { parts, end } = readOne(message({ content }));
    expect(parts).toEqual([reasoning('Hmm'), text('Hi'), call('c', 'n', '{"a":1}')]);
    expect(end.finishReason).toBe('tool_calls');
  });

  it.each(['reasoning', 'reasoning_content'])('may think in “%s”', (field) => {
    expect(readOne(message({ content: 'Hi', [field]: 'Hmm' })).parts).toEqual([reasoning('Hmm'), text('Hi')]);
  });

  it.each([[{}], [{ content: null }], [{ content: '' }], [{ content: [] }]])('may say nothing: %j', (change) => {
    expect(readOne(message(change)).parts).toEqual([]);
  });

  it('that has another form fails as such, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readOne(value)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
      }),
    );
    expect(() => readOne(message({ content: 5 }))).toThrow('in a form that this version does not understand');
  });
});

describe('a call of a tool', () => {
  const calls = (...given: { id?: string | null; arguments: unknown }[]) => {
    const toolCalls = given.map(({ id, arguments: args }) => ({ id, function: { name: 'f', arguments: args } }));
    const { parts } = readOne({ message: { content: null, tool_calls: toolCalls } });
    return parts.map((part) => (part.type === 'tool_call' ? part : expect.fail('Not a call.')));
  };

  it('has an id of its own where its provider gave none, or the same twice', () => {
    const ids = calls(
      { id: '', arguments: '{}' },
      { id: null, arguments: '{}' },
      { arguments: '{}' },
      { id: 'a', arguments: '{}' },
      { id: 'a', arguments: '{}' },
    ).map(({ id }) => id);
    expect(new Set(ids).size).toBe(5);
    expect(ids[3]).toBe('a');
    for (const id of ids) expect(id).toMatch(/^(a|call_[\da-f]{32})$/);
  });

  it.each([
    ['{"x":1}', '{"x":1}'],
    [{ x: 1 }, '{"x":1}'],
    ['', '{}'],
    [null, '{}'],
    [undefined, '{}'],
  ])('has its arguments as a text, whatever they came as: %j', (given, expected) => {
    expect(calls({ id: 'a', arguments: given })[0]?.arguments).toBe(expected);
  });

  it('may come without arguments', () => {
    const { parts } = readOne({ message: { content: null, tool_calls: [{ id: 'a', function: { name: 'f' } }] } });
    expect(parts).toEqual([call('a', 'f', '{}')]);
  });

  it('has the signature that Gemini gave it', () => {
    const signed = { ...call('a', 'f', '{}'), thoughtSignature: 'sealed' };
    const line = { type: 'tool_use', id: 'a', name: 'f', input: {} };
    const whole = { id: 'a', function: { name: 'f', arguments: '{}' } };
    const partsOf = (given: object) => [
      ...readLines([{ ...line, ...given }, usageLine]).parts,
      ...readOne({ message: { tool_calls: [{ ...whole, ...given }] } }).parts,
    ];
    const extra = { google: { thought_signature: 'sealed', other: 1 } };
    expect(partsOf({ extra_content: extra })).toEqual([signed, signed]);
    const unsigned = [call('a', 'f', '{}'), call('a', 'f', '{}')];
    for (const other of [null, 'x', {}, { google: null }, { google: { thought_signature: 5 } }]) {
      expect(partsOf({ extra_content: other })).toEqual(unsigned);
    }
  });

  it('in a stream is one by one, too', () => {
    const line = { type: 'tool_use', id: '', name: 'f', input: '{"x":1}' };
    const { parts } = readLines([line, line, usageLine]);
    expect(parts).toEqual([
      { type: 'tool_call', id: expect.stringMatching(/^call_/) as string, name: 'f', arguments: '{"x":1}' },
      { type: 'tool_call', id: expect.stringMatching(/^call_/) as string, name: 'f', arguments: '{"x":1}' },
    ]);
    expect(parts[0]).not.toEqual(parts[1]);
  });
});

describe('the finish reason', () => {
  it('of a stream is what a newer server says beside the usage', () => {
    const finish = (reason: string | null) =>
      readLines([
        { type: 'text', text: 'x' },
        { ...usageLine, finish_reason: reason },
      ]).end.finishReason;
    expect(finish('length')).toBe('length');
    expect(finish('content_filter')).toBe('content_filter');
    expect(finish('stop')).toBe('stop');
    expect(finish(null)).toBe('stop');
  });

  const reasonOf = (finish: object, asked: ChatRequest = chat) =>
    readOne({ message: { content: 'x', ...finish }, ...finish, usage: { prompt: 1, completion: 7 } }, asked).end
      .finishReason;

  it.each([
    ['stop', 'stop'],
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['length', 'length'],
    ['max_tokens', 'length'],
    ['model_length', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_calls', 'tool_calls'],
    ['tool_use', 'tool_calls'],
    ['content_filter', 'content_filter'],
    ['refusal', 'content_filter'],
    ['something_new', 'stop'],
    ['toString', 'stop'],
  ])('“%s” is %s', (given, meant) => {
    expect(reasonOf({ finish_reason: given })).toBe(meant);
  });

  it('of Claude wins over the common one', () => {
    expect(reasonOf({ stop_reason: 'max_tokens', finish_reason: 'stop' })).toBe('length');
  });

  it.each([
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    ['stop', 'tool_calls'],
    [null, 'tool_calls'],
  ])('of an answer that calls a tool and ended with “%s” is %s', (given, meant) => {
    const calls = [{ id: 'a', function: { name: 'f', arguments: '{"a":"unfini' } }];
    expect(reasonOf({ content: null, tool_calls: calls, finish_reason: given })).toBe(meant);
    const line = { type: 'tool_use', id: 'a', name: 'f', input: {} };
    expect(readLines([line, { ...usageLine, finish_reason: given }]).end.finishReason).toBe(meant);
  });

  it('that is an error fails the answer', () => {
    const failure = expect.objectContaining({ code: 'upstream_failed' });
    const parts: AnswerPart[] = [];
    const whole = { message: { content: 'x' }, finish_reason: 'error' };
    expect(() => readWhole(whole, chat, (part) => parts.push(part))).toThrow(failure);
    // Nothing was said yet, so that the failure can have a status of its own.
    expect(parts).toEqual([]);
    expect(() => readLines([{ ...usageLine, finish_reason: 'error' }])).toThrow(failure);
  });

  it.each([
    [undefined, 'stop'],
    [8, 'stop'],
    [7, 'length'],
    [6, 'length'],
  ] as const)('with at most %s tokens asked and 7 given is %s', (maxTokens, meant) => {
    const asked = maxTokens === undefined ? chat : { ...chat, maxTokens };
    expect(reasonOf({ finish_reason: 'stop' }, asked)).toBe(meant);
    expect(readLines([{ type: 'text', text: 'x' }, usageLine], asked).end.finishReason).toBe(meant);
  });

  it('of a model that thought until it had no tokens left is length', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 12, thinking_tokens: 88 };
    const asked = { ...chat, model: 'gemini-2.5-flash', maxTokens: 100 };
    expect(readLines([{ type: 'usage', usage }], asked).end.finishReason).toBe('length');
  });
});
