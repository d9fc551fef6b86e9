import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import {
  readQuestion as readChat,
  requestSchema as chatSchema,
} from '../../../../bridge/dialects/openai/chat-completions/request.ts';
import {
  readQuestion as readCompletion,
  requestSchema as completionSchema,
} from '../../../../bridge/dialects/openai/completions/request.ts';
import { parseBody } from '../../../../bridge/http/body.ts';

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Path = (string | number)[];

const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
/** A body that has something in every place that is looked at. */
const chat: Json = {
  model: 'm',
  messages: [
    {
      role: 'user',
      name: 'n',
      content: [
        { type: 'text', text: 't' },
        { type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'low' } },
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'f' } },
      ],
    },
    { role: 'user', content: 't' },
    { role: 'assistant', content: 't', refusal: 'r', tool_calls: [call] },
    { role: 'assistant', content: [{ type: 'refusal', refusal: 'r' }] },
    { role: 'tool', tool_call_id: 'c', content: 't' },
  ],
  stream: true,
  stream_options: { include_usage: true },
  n: 2,
  stop: ['s'],
  temperature: 1,
  top_p: 1,
  max_tokens: 1,
  max_completion_tokens: 1,
  tools: [
    { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } },
  ],
  tool_choice: { type: 'function', function: { name: 'f' } },
  parallel_tool_calls: true,
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'n', description: 'd', schema: { type: 'object' }, strict: true },
  },
  reasoning_effort: 'low',
  verbosity: 'low',
};
const completion: Json = { model: 'm', prompt: ['p'], suffix: 's', echo: true, stream: true, n: 1, stop: ['s'] };

it('a repetition is known by its JSON, also of one that an older bridge was asked', () => {
  const [asked] = readChat(parseBody(chatSchema, chat)).requests;
  const begin = ['model', 'stops', 'temperature', 'topP'];
  expect(Object.keys(asked ?? {})).toEqual([
    ...[...begin, 'messages', 'tools', 'toolChoice', 'parallelToolCalls'],
    ...['responseFormat', 'maxTokens', 'reasoningEffort', 'verbosity'],
  ]);
  const body = { ...completion, temperature: 1, top_p: 1, max_tokens: 1 };
  const [completed] = readCompletion(parseBody(completionSchema, body)).question.requests;
  expect(Object.keys(completed ?? {})).toEqual([...begin, 'maxTokens', 'messages']);
});

it('as many stops as editors send are taken, and not many more', () => {
  const stop = Array.from({ length: 64 }, (_, at) => `stop ${at}`);
  for (const [schema, body] of [[chatSchema, chat] as const, [completionSchema, completion] as const]) {
    expect(problemOf(schema, put(body, ['stop'], stop))).toBeNull();
    expect(problemOf(schema, put(body, ['stop'], [...stop, 'one more']))?.failure).toMatchObject({ param: 'stop' });
  }
});

it('a search that is asked for without a word about how is refused', () => {
  const body = parseBody(chatSchema, put(chat, ['web_search_options'], {}));
  expect(() => readChat(body)).toThrow(
    expect.objectContaining({ failure: expect.objectContaining({ param: 'web_search_options' }) }),
  );
});

it('a model without a name is none, so that the default is taken', () => {
  const read = [
    readChat(parseBody(chatSchema, put(chat, ['model'], ''))),
    readCompletion(parseBody(completionSchema, put(completion, ['model'], ''))).question,
  ];
  for (const { model, requests } of read) {
    expect(model).toBeNull();
    for (const request of requests) expect(request).not.toHaveProperty('model');
  }
});

const wrong: Json[] = [
  ...[null, true, 0, -1, 1.5, 1e308, '', 'secret-content', '\ud800secret-content'],
  ...[[], {}, [null], [[]], [{}], ['secret-content'], { type: 'secret-content' }, { 'secret-content': 1 }],
  Array.from({ length: 200 }, () => 'secret-content'),
];

const codes = [
  ...['missing_parameter', 'invalid_type', 'invalid_value', 'invalid_unicode'],
  ...['image_url_not_allowed', 'invalid_image'],
];

/** Every place in a value: of its members, theirs and so on. */
const pathsOf = (value: Json): Path[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, member]) => {
        const step = Array.isArray(value) ? Number(key) : key;
        return [[step], ...pathsOf(member).map((path) => [step, ...path])];
      })
    : [];

function put(body: Json, path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = structuredClone(body) as Record<string | number, Json>;
  copy[step] = put(copy[step] ?? null, rest, value);
  return copy;
}

function problemOf(schema: v.GenericSchema, body: Json): BridgeError | null {
  try {
    parseBody(schema, body);
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
}

describe.each([
  ['/v1/chat/completions', chatSchema, chat],
  ['/v1/completions', completionSchema, completion],
] as const)('a body of %s', (_, schema, body) => {
  it('is taken as it should be', () => {
    expect(problemOf(schema, body)).toBeNull();
  });

  it.each(pathsOf(body).map((path) => [path.join('.'), path] as const))(
    'that is wrong at %s is refused in our own words, which name a place and repeat nothing',
    (__, path) => {
      for (const value of wrong) {
        const problem = problemOf(schema, put(body, path, value));
        if (problem === null) continue;
        const { code, message, param } = problem.failure;
        expect(codes).toContain(code);
        expect(param?.split('.')[0]).toBe(path[0]);
        expect(message).toMatch(/^“[\w.-]+” (must|is missing)/);
        expect(message).not.toMatch(/secret-content|Invalid|Expected/);
      }
    },
  );
});
