import { describe, expect, it } from 'vitest';

import { nearestNames } from '#shared/nearest-names.ts';

import { readName } from '../../bridge/http/caller.ts';
import { createJsonCheck } from '../../bridge/chat/json-answer.ts';
import { createSchemas } from '../../bridge/chat/schemas.ts';
import { createStopFilter } from '../../bridge/chat/stop.ts';
import { describeFidelity } from '../../bridge/dialects/openai/fidelity.ts';
import { preflightHeaders } from '../../bridge/http/cors.ts';
import { isImageIfData, isPublicUrl } from '../../bridge/http/image-url.ts';
import { isDeeperThan } from '../../bridge/http/json-depth.ts';
import { toPuterArguments } from '../../extension/puter/chat-arguments.ts';
import { canary, workOf, json, refusalOf, useBridge } from './bridge-rig.ts';

/** What is wrong with a body, on both routes that take one: in JSON, in its characters, in its fields. */

const rig = useBridge();

const send = {
  '/api/process': (body: string | Buffer) => rig.r0([], body),
  '/v1': (body: string | Buffer) => rig.r1(body),
};
const routes = Object.values(send);
const chat = (change: object): string =>
  json({ model: 'echo', messages: [{ role: 'user', content: 'hi' }], ...change });

it.each([
  '{',
  '',
  '{"prompt":"x",}',
  "{'prompt':'x'}",
  '{"prompt":NaN}',
  '{"prompt":"\0"}',
  `{"prompt":"${canary}" oops}`,
])('H1 %j is no JSON', async (body) => {
  expect(refusalOf(await rig.r0([], body))).toEqual({ status: 400, code: 'invalid_json' });
  // OpenAI has no code for it.
  expect(refusalOf(await rig.r1(body))).toEqual({ status: 400, code: null });
});

it.each(['null', '[]', '"x"', '5', 'true'])('H3 %s is no object', async (body) => {
  for (const post of routes) expect(refusalOf(await post(body))).toEqual({ status: 400, code: 'invalid_type' });
});

it.each([
  ['{}', 'missing_parameter'],
  ['{"prompt":5}', 'invalid_type'],
  ['{"prompt":null}', 'invalid_type'],
  ['{"prompt":["x"]}', 'invalid_type'],
  ['{"prompt":{}}', 'invalid_type'],
  ['{"prompt":"  "}', 'invalid_value'],
  ['{"prompt":""}', 'invalid_value'],
])('H4 %s is not processed', async (body, code) => {
  expect(refusalOf(await rig.r0([], body))).toEqual({ status: 400, code, param: 'prompt' });
});

describe('a chat', () => {
  const message = { role: 'user', content: 'hi' };
  it.each([
    ['without messages', 'missing_parameter', 'messages', { messages: undefined }],
    ['with an object for messages', 'invalid_type', 'messages', { messages: {} }],
    ['with no message', 'invalid_value', 'messages', { messages: [] }],
    ['with 10,001', 'invalid_value', 'messages', { messages: Array.from({ length: 10_001 }, () => message) }],
    ['of nobody', 'missing_parameter', 'messages.0.role', { messages: [{ content: 'x' }] }],
    ['of root', 'invalid_value', 'messages.0.role', { messages: [{ role: 'root', content: canary }] }],
    ['of number 5', 'invalid_type', 'messages.0.role', { messages: [{ role: 5, content: canary }] }],
    ['about a number', 'invalid_type', 'messages.1.content', { messages: [message, { role: 'user', content: 5 }] }],
    ['of -1 tokens', 'invalid_value', 'max_tokens', { max_tokens: -1 }],
    ['with warm words', 'invalid_type', 'temperature', { temperature: canary }],
    ['too hot', 'invalid_value', 'temperature', { temperature: 99 }],
    ['a billion times', 'invalid_value', 'n', { n: 1e9 }],
    ['perhaps streamed', 'invalid_type', 'stream', { stream: 'yes' }],
  ])('H5 %s is not processed', async (_, code, param, change) => {
    expect(refusalOf(await rig.r1(chat(change)))).toEqual({ status: 400, code, param });
  });
});

it('H6 fields that nobody knows are ignored, whatever they are called', async () => {
  rig.expectCalls(2);
  const strange =
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":1';
  expect((await rig.r0([], `{"prompt":"x","model":"echo","status":"hacked",${strange}}`)).status).toBe(200);
  const { status, body } = await rig.r1(chat({}).replace('{', `{"id":"hacked",${strange},`));
  expect([status, JSON.parse(body)]).toMatchObject([200, { id: expect.stringMatching(/^chatcmpl-/) as string }]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(rig.extension.calls.slice(-2).map(({ args }) => Object.keys(args))).toEqual([
    ['stream', 'model'],
    ['stream', 'model'],
  ]);
});

it('H7 of two fields of one name the last counts', async () => {
  rig.expectCalls(1);
  const { body } = await rig.r0([], '{"prompt":"a","prompt":"bb","model":"echo"}');
  expect(JSON.parse(body)).toMatchObject({ result: 'You said: bb' });
});

describe('depth', () => {
  const nested = (depth: number) => `{"prompt":"x","model":"echo","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const tooDeep = { status: 400, code: 'json_too_deep' };

  it('H9 of 64 is read, with one more it is not', async () => {
    rig.expectCalls(1);
    expect((await rig.r0([], nested(63))).status).toBe(200);
    for (const post of routes) expect(refusalOf(await post(nested(64)))).toEqual(tooDeep);
  });

  it.each([
    ['45,000', nested(45_000)],
    ['200,000 without an end', '['.repeat(200_000)],
    ['65 after a long text', `{"a":"${'\\"[{'.repeat(50_000)}","b":${'{"a":'.repeat(64)}`],
  ])('H9 of %s is found within 50 ms', async (_, body) => {
    expect(await workOf(async () => expect(refusalOf(await rig.r0([], body))).toEqual(tooDeep))).toBeLessThan(50);
  });

  it('H9 is not that of brackets in texts', async () => {
    rig.expectCalls(1);
    const prompt = `${'[{'.repeat(1000)}\\"\\\\`;
    expect((await rig.r0([], json({ prompt, model: 'echo' }))).status).toBe(200);
  });
});

it('H10 half of a surrogate pair is refused where it would go to the model', async () => {
  const refused = (param: string) => ({ status: 400, code: 'invalid_unicode', param });
  for (const prompt of ['\\ud800', '\\udc00x', 'x\\ud83e', '\\udd8a\\ud83e'])
    expect(refusalOf(await rig.r0([], `{"prompt":"${prompt}"}`))).toEqual(refused('prompt'));
  const body = '{"messages":[{"role":"user","content":"\\ud800"}]}';
  expect(refusalOf(await rig.r1(body))).toEqual(refused('messages.0.content'));
});

it('H11 every other character is processed as it is', async () => {
  const prompt = 'NUL \0, emoji 🦊👩‍🚀, right to left \u202eabc\u202c, 𐍈, Zürich, \u2028 and a quote "';
  rig.expectCalls(3);
  expect(JSON.parse((await rig.r0([], json({ prompt, model: 'echo' }))).body)).toMatchObject({
    result: `You said: ${prompt}`,
  });
  const escaped = json({ prompt, model: 'echo' }).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  expect(JSON.parse((await rig.r0([], escaped)).body)).toMatchObject({ result: `You said: ${prompt}` });
  const answer = JSON.parse((await rig.r1(chat({ messages: [{ role: 'user', content: prompt }] }))).body) as object;
  expect(answer).toMatchObject({ choices: [{ message: { content: `You said: ${prompt}` } }] });
});

it('H12 a byte order mark does not matter', async () => {
  rig.expectCalls(2);
  expect((await rig.r0([], '\ufeff{"prompt":"x","model":"echo"}')).status).toBe(200);
  expect((await rig.r1(`\ufeff${chat({})}`)).status).toBe(200);
});

it.each([
  ['a lone byte of a character', [0x80]],
  ['a slash in two bytes', [0xc0, 0xaf]],
  ['half of a character', [0xf0, 0x9f, 0x98]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a byte that is never used', [0xff]],
])('H13 %s is no UTF-8', async (_, bytes) => {
  const body = Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from(bytes), Buffer.from('"}')]);
  for (const post of routes) expect(refusalOf(await post(body))).toEqual({ status: 400, code: 'invalid_utf8' });
});

it.each([
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json'],
  ...['application/jsonx', 'text/plain; application/json', 'application/json, text/plain', ''],
])('H15 a body of type “%s” is not read', async (type) => {
  for (const path of ['/api/process', '/v1/chat/completions', '/v1/completions']) {
    const headers = [`Content-Type: ${type}`, 'Content-Length: 14'];
    const refused = { status: 415, code: 'unsupported_media_type' };
    expect(refusalOf(await rig.send(`POST ${path}`, headers, '{"prompt":"x"}'))).toEqual(refused);
  }
});

it('H15 a body without a type, with two, or compressed is not read', async () => {
  const refused = { status: 415, code: 'unsupported_media_type' };
  expect(refusalOf(await rig.send('POST /api/process', ['Content-Length: 2'], '{}'))).toEqual(refused);
  expect(refusalOf(await rig.r0(['Content-Encoding: gzip']))).toEqual(refused);
  expect(refusalOf(await rig.r0(['Content-Type: text/plain']))).toEqual({ status: 400, code: 'duplicate_header' });
});

describe('a long text', () => {
  const long = 100_000;
  const texts = {
    letters: `${'a'.repeat(long)}!`,
    ...Object.fromEntries(
      ['<', '(', ' ', '\n', '{', '[', '"', '\\', ';', '`', '/', ':', '-', 'é'].map((it) => [it, it.repeat(long)]),
    ),
    fences: '```\n'.repeat(long / 4),
    'open fences': '```x'.repeat(long / 4),
    'a fence without an end': '```' + '\n'.repeat(long),
    'a data URI': `data:image/png;base64,${'A'.repeat(long)}!`,
    'semicolons of a data URI': `data:${';'.repeat(long)}`,
    'brackets in turn': '[{'.repeat(long / 2),
  };
  const jsonCheck = createJsonCheck({ type: 'json_object' }, createSchemas());
  const stopFilter = createStopFilter(['a'.repeat(999) + 'b']);

  const parsers: Record<string, (text: string) => unknown> = {
    'the name of the caller': (text) => readName({ 'user-agent': text }),
    'names of parameters': (text) => describeFidelity({ [text]: 1 }, () => 'ignored'),
    'names of headers': (text) => preflightHeaders({ 'access-control-request-headers': text }, 'POST'),
    'addresses of images': (text) => [isPublicUrl(text), isPublicUrl(`https://${text}`), isImageIfData(text)],
    'the depth of JSON': (text) => [isDeeperThan(64, text), isDeeperThan(64, `"${text}`)],
    'JSON in an answer': async (text) => {
      const answer = { text, reasoning: '', toolCalls: [], finishReason: 'stop', model: null, usage: null } as const;
      return (await jsonCheck).judge({ ...answer, toolCalls: [], refusal: null });
    },
    'stops in an answer': (text) => stopFilter.add(text),
    'names of models': (text) => nearestNames(text, ['echo']),
    'a chat for Puter': (text) =>
      toPuterArguments({
        model: text.slice(0, 200),
        messages: [
          {
            role: 'user',
            content: [
              { type: 'file', url: text },
              { type: 'image', url: text },
            ],
          },
          { role: 'assistant', content: '', toolCalls: [{ id: text, name: text, arguments: text }] },
        ],
      }),
  };

  it.each(Object.entries(parsers))('H33 takes no longer than its length says: %s', async (_, parse) => {
    for (const [kind, text] of Object.entries(texts)) {
      expect([kind, (await workOf(() => parse(text))) < 50]).toEqual([kind, true]);
    }
  });

  it.each(Object.entries(texts))('H33 is refused or processed at once: %s', async (_, text) => {
    const part = { type: 'image_url', image_url: { url: text } };
    const call = { id: text, type: 'function', function: { name: text, arguments: text } };
    for (const change of [
      { model: text },
      { messages: [{ role: text, content: 'x' }] },
      { messages: [{ role: 'user', content: [part] }] },
      { messages: [{ role: 'assistant', tool_calls: [call] }], n: 0 },
      { tools: [{ type: 'function', function: { name: text } }] },
      { stop: text },
    ]) {
      const body = chat(change);
      expect(await workOf(async () => expect((await rig.r1(body)).status).toBe(400))).toBeLessThan(50);
    }
  });
});

it.each(['', ' ', 'x'.repeat(300), 'schlüssel', 'a b', '🦊'])('H34 “%s” is no Idempotency-Key', async (key) => {
  const answer = await rig.r0([`Idempotency-Key: ${key}`]);
  expect(refusalOf(answer)).toEqual({ status: 400, code: 'invalid_idempotency_key' });
});

it('H34 there is one Idempotency-Key, or none', async () => {
  const answer = await rig.r0(['Idempotency-Key: a', 'Idempotency-Key: b']);
  expect(refusalOf(answer)).toEqual({ status: 400, code: 'duplicate_header' });
});

it.each(['evil\r\nSet-Cookie: x=1', 'evil\nx', 'é', '\0', '🦊'])(
  'H36 a name like %j gets into no header',
  async (name) => {
    rig.expectCalls(3);
    const answers = [
      await rig.r1(chat({ [name]: 1, messages: [{ role: 'user', content: 'hi', name }] })),
      await rig.r1(chat({ model: name })),
      await rig.r0([], json({ prompt: 'x', model: name })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404]);
    for (const { headers } of answers) {
      expect(headers.has('set-cookie')).toBe(false);
      expect(json([...headers])).not.toMatch(/evil|Set-Cookie/);
    }
  },
);
