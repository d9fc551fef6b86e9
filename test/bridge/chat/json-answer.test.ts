import { afterAll, describe, expect, it } from 'vitest';

import type { ResponseFormat } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { createCheck } from '../../../bridge/chat/check.ts';
import type { WholeAnswer } from '../../../bridge/chat/collect.ts';
import { createSchemas } from '../../../bridge/chat/schemas.ts';
import { wholeAnswer } from './whole-answer.ts';

const schemas = createSchemas();
afterAll(() => schemas.close());

const object: ResponseFormat = { type: 'json_object' };
const schemaOf = (schema: Record<string, unknown>, strict = true) => ({
  type: 'json_schema' as const,
  name: 'n',
  schema,
  strict,
});
const place = schemaOf({
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
});

const checkOf = async (responseFormat: ResponseFormat) =>
  (await createCheck({ messages: [], responseFormat }, schemas))!;
const judge = async (format: ResponseFormat, text: string, change: Partial<WholeAnswer> = {}) => {
  const verdict = await (await checkOf(format)).judge(wholeAnswer(text, change));
  return 'answer' in verdict ? verdict.answer.text : verdict;
};

describe('JSON', () => {
  it.each([
    ['{"city":"Paris"}'],
    [' \n{"city":"Paris"}\n'],
    ['```json\n{"city":"Paris"}\n```'],
    ['Here it is:\n```\n{"city":"Paris"}\n```\nGood luck!'],
    ['Sure! {"city":"Paris"} is what you want.'],
    ['<think>{"city": maybe?}</think>\n{"city":"Paris"}'],
  ])('is found in an answer, and nothing else of it goes out: %j', async (text) => {
    expect(await judge(place, text)).toBe('{"city":"Paris"}');
    expect(await judge(object, text)).toBe('{"city":"Paris"}');
  });

  it('may hold the word that thoughts end with', async () => {
    const text = '{"city":"a </think> b"}';
    expect(await judge(place, text)).toBe(text);
  });

  it('keeps the words of the model, spaces and order of keys', async () => {
    expect(await judge(object, '{ "b": 1,\n "a": 2 }')).toBe('{ "b": 1,\n "a": 2 }');
  });

  it.each(['', 'No.', '{"city":', '{city: "Paris"}', '<think>{"a":1}</think>'])('is missing in %j', async (text) => {
    expect(await judge(object, text)).toEqual({ problem: 'it is not valid JSON' });
  });

  it.each(['[1]', '"Paris"', 'null', '7'])('of another kind is not an object: %s', async (text) => {
    expect(await judge(object, text)).toEqual({ problem: 'it is JSON, but not a JSON object' });
  });

  it('that does not fit says where', async () => {
    expect(await judge(place, '{"city":7}')).toEqual({
      problem: 'it does not fit the schema: /city must be string',
    });
    expect(await judge(place, '{}')).toEqual({
      problem: "it does not fit the schema: the value must have required property 'city'",
    });
  });

  it('is not looked for in what was cut off, filtered, or calls a tool', async () => {
    for (const finishReason of ['length', 'content_filter'] as const) {
      expect(await judge(place, '{"ci', { finishReason })).toBe('{"ci');
    }
    const toolCalls = [{ id: 'a', name: 'f', arguments: '{}' }];
    expect(await judge(place, 'Let me see.', { toolCalls, finishReason: 'tool_calls' })).toBe('Let me see.');
  });
});

describe('a schema', () => {
  it.each([
    ['of the draft that zod names', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'array' }],
    ['of an older draft', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'array', items: [{}] }],
    ['with definitions', { $defs: { l: { type: 'array' } }, $ref: '#/$defs/l' }],
    ['with words of its own', { type: 'array', 'x-order': 1, nullable: true }],
    ['with a format that nobody knows', { type: 'array', items: { type: 'string', format: 'my-own' } }],
  ])('is understood %s', async (_, schema) => {
    expect(await judge(schemaOf(schema), '["a"]')).toBe('["a"]');
    expect(await judge(schemaOf(schema), '{}')).toHaveProperty('problem');
  });

  it.each([
    ['^a\\-b$', '["a-b"]', '["ab"]'],
    ['^[\\w-.]+$', '["a-b.c"]', '["a b"]'],
    ['^.$', '["🦊"]', '["🦊🦊"]'],
    ['^\\p{L}+$', '["é"]', '["p{L}"]'],
  ])('is understood with the pattern %s', async (pattern, good, bad) => {
    const schema = schemaOf({ type: 'array', items: { type: 'string', pattern } });
    expect(await judge(schema, good)).toBe(good);
    expect(await judge(schema, bad)).toHaveProperty('problem');
  });

  it('holds to formats', async () => {
    const schema = schemaOf({ type: 'array', items: { type: 'string', format: 'email' } });
    expect(await judge(schema, '["a@example.com"]')).toBe('["a@example.com"]');
    expect(await judge(schema, '["nobody"]')).toHaveProperty('problem');
  });

  it('is held to where it asks to be checked later, and so is every other', async () => {
    const later = schemaOf({ $async: true, ...place.schema });
    const answers = ['{"city":7}', '{"city":"Paris"}'].flatMap((text) => [judge(later, text), judge(place, text)]);
    const problem = 'it does not fit the schema: /city must be string';
    expect(await Promise.all(answers)).toEqual([{ problem }, { problem }, '{"city":"Paris"}', '{"city":"Paris"}']);
  });

  it('that nobody can check keeps no answer back where it is not strict', async () => {
    const tooSlow = new BridgeError('unusable_answer', 'It takes too long.');
    const problemOf = () => Promise.reject(tooSlow);
    const judgeBy = async (strict: boolean) => {
      const request = { messages: [], responseFormat: schemaOf({}, strict) };
      const check = await createCheck(request, { open: async () => ({ problemOf }), close: async () => {} });
      return check?.judge(wholeAnswer('Well: [1]'));
    };
    expect(await judgeBy(false)).toMatchObject({ answer: { text: '[1]' } });
    await expect(judgeBy(true)).rejects.toBe(tooSlow);
  });

  it.each([{ type: 'nonsense' }, { $ref: 'https://example.com/schema' }, { pattern: '(' }])(
    'that is none is refused before anything is asked: %j',
    async (schema) => {
      await expect(createCheck({ messages: [], responseFormat: schemaOf(schema) }, schemas)).rejects.toMatchObject({
        code: 'invalid_request',
        failure: { param: 'response_format' },
      });
    },
  );
});

describe('an answer that is wrong a second time', () => {
  const settle = async (format: ResponseFormat, text: string) =>
    (await checkOf(format)).settle(wholeAnswer(text), 'so');

  it('is a refusal where it is plain words', async () => {
    expect(await settle(place, 'I will not.')).toMatchObject({ text: '', refusal: 'I will not.' });
    expect(await settle(object, 'I will not.')).toMatchObject({ text: '', refusal: 'I will not.' });
  });

  it('is an error where it is JSON that does not fit a strict schema, or is no object', async () => {
    await expect(settle(place, '{"city":7}')).rejects.toMatchObject({ code: 'unusable_answer' });
    await expect(settle(object, '[1]')).rejects.toMatchObject({ code: 'unusable_answer' });
  });

  it.each(['{"city":', "{city: 'Paris'}", '```json\n{"city"\n```', ' [1,', '<think>Hm.</think>{', ''])(
    'is an error where it was meant to be JSON, or is nothing: %j',
    async (text) => {
      await expect(settle(place, text)).rejects.toMatchObject({ code: 'unusable_answer' });
      await expect(settle(object, text)).rejects.toMatchObject({ code: 'unusable_answer' });
    },
  );

  it('is as good as it gets where the schema is not strict', async () => {
    expect(await settle(schemaOf({ type: 'array' }, false), 'Well: {"a":1}')).toMatchObject({ text: '{"a":1}' });
  });
});

it('has nothing to check where nothing is asked for', async () => {
  expect(await createCheck({ messages: [] }, schemas)).toBeNull();
  expect(await createCheck({ messages: [], tools: [{ name: 'f' }], toolChoice: 'auto' }, schemas)).toBeNull();
});
