import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { createApp } from '../../../bridge/http/app.ts';
import { parseBody } from '../../../bridge/http/body.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { sendRaw } from '../raw-socket.ts';

const { maxBodyBytes } = defaultLimits;

let server: Server;
let port: number;
const unexpected: unknown[] = [];

beforeAll(async () => {
  const app = createApp(
    [
      {
        method: 'POST',
        path: '/echo',
        handle: async (exchange) => ({ status: 200, body: { got: await exchange.json() } }),
      },
    ],
    { onUnexpected: (error) => unexpected.push(error), limits: defaultLimits },
  );
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

describe('a body', () => {
  it('arrives as it was sent', async () => {
    for (const value of [{ prompt: 'hi' }, { nested: [{ a: null }, 1.5, true] }, 'text', 5, null, []])
      expect(await post(JSON.stringify(value))).toEqual({ status: 200, answer: { got: value } });
  });

  it('keeps every character, also those that are seldom', async () => {
    const prompt = 'NUL \u0000, emoji 👩‍💻, right to left \u202e, quotes "\\"';
    expect(await post(JSON.stringify({ prompt }))).toEqual({ status: 200, answer: { got: { prompt } } });
  });

  it('may begin with a byte order mark', async () => {
    expect(await post('\ufeff{"a":1}')).toEqual({ status: 200, answer: { got: { a: 1 } } });
  });

  it.each(['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', ' application/json ;x=y'])(
    'is read as “%s”',
    async (type) => expect((await post('{}', { 'Content-Type': type })).status).toBe(200),
  );

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'application/jsonx',
    'application/json+x',
    'text/plain; application/json',
    '',
  ])('is not read as “%s”', async (type) => {
    expect(await post('{}', { 'Content-Type': type })).toMatchObject({
      status: 415,
      answer: { code: 'unsupported_media_type' },
    });
  });

  it('without a type is not read', async () => {
    const head = ['POST /echo HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Content-Length: 2'];
    expect((await sendRaw(port, head, '{}')).status).toBe(415);
  });

  it('that is compressed is not read', async () => {
    const answer = await post('{}', { 'Content-Encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 415, answer: { code: 'unsupported_media_type' } });
    expect((await post('{}', { 'Content-Encoding': 'identity' })).status).toBe(200);
  });

  it.each([
    '',
    '{',
    '{"prompt":"sk-SECRET",}',
    "{'prompt':'sk-SECRET'}",
    '{"prompt":NaN}',
    '{"p":"\u0000"}',
    'sk-SECRET',
  ])('that is not JSON is refused without being repeated: %j', async (body) => {
    const { status, answer } = await post(body);
    expect({ status, answer }).toMatchObject({ status: 400, answer: { code: 'invalid_json' } });
    expect(JSON.stringify(answer)).not.toContain('SECRET');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half of a character', [0xf0, 0x9f, 0x98]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('that is not UTF-8 is refused: %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    const { status, answer } = await post(new Uint8Array(body));
    expect({ status, answer }).toMatchObject({ status: 400, answer: { code: 'invalid_utf8' } });
  });

  it('nested deeply is read or refused, but is no accident', async () => {
    expect((await post('['.repeat(200_000))).status).toBe(400);
    expect(unexpected).toEqual([]);
  });
});

describe('a body that is too large', () => {
  it('is refused by its announced length, before a byte of it is sent', async () => {
    const head = ['POST /echo HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Content-Type: application/json'];
    const { status, headers, body } = await sendRaw(port, [...head, `Content-Length: ${maxBodyBytes + 1}`]);
    expect(status).toBe(413);
    expect(headers.get('connection')).toBe('close');
    expect(JSON.parse(body)).toMatchObject({ code: 'request_too_large' });
  });

  it('is refused in chunks as soon as it passes the limit, and one at the limit is not', async () => {
    const sendChunked = async (bytes: number) => {
      const request = httpRequest({ port, host: '127.0.0.1', path: '/echo', method: 'POST' });
      request.setHeader('Content-Type', 'application/json');
      const answered = new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        request.on('error', reject).on('response', (response) => {
          readText(response).then((text) => resolve({ status: response.statusCode, text }), reject);
        });
      });
      // All of it is blank, so that what is at the limit is read to the end and found not to be JSON.
      request.write(Buffer.alloc(bytes, ' '));
      request.end();
      return answered;
    };
    expect(await sendChunked(maxBodyBytes)).toMatchObject({ status: 400 });
    const { status, text } = await sendChunked(maxBodyBytes + 1);
    expect(status).toBe(413);
    expect(text).toContain('request_too_large');
  });
});

describe('a parsed body', () => {
  const schema = v.object({ prompt: v.string('must be a string'), deep: v.exactOptional(v.object({ n: v.number() })) });
  const refusal = (body: unknown): BridgeError => {
    try {
      parseBody(schema, body);
    } catch (error) {
      if (error instanceof BridgeError) return error;
      throw error;
    }
    throw new Error('It was accepted.');
  };

  it('comes back as the schema has it', () => {
    expect(parseBody(schema, { prompt: 'hi', other: 1 })).toStrictEqual({ prompt: 'hi' });
  });

  it.each([[null], [[]], [[{ prompt: 'x' }]], ['x'], [5], [true], [undefined]])('must be an object, not %j', (body) => {
    expect(refusal(body)).toMatchObject({ code: 'invalid_type', message: 'The body must be a JSON object.' });
  });

  it.each([
    [{}, 'missing_parameter', '“prompt” is missing.'],
    [{ prompt: 5 }, 'invalid_type', '“prompt” must be a string.'],
    [{ prompt: null }, 'invalid_type', '“prompt” must be a string.'],
    [{ prompt: ['x'] }, 'invalid_type', '“prompt” must be a string.'],
  ])('is refused with the field that is wrong: %j', (body, code, message) => {
    expect(refusal(body).failure).toEqual({ code, message, param: 'prompt' });
  });

  it('names a field inside another by its path', () => {
    expect(refusal({ prompt: 'x', deep: { n: 'y' } }).failure.param).toBe('deep.n');
  });

  it('is never anything but accepted or refused', () => {
    fc.assert(
      fc.property(fc.object(), (body) => {
        expect(typeof body['prompt'] === 'string' || refusal(body).failure.param === 'prompt').toBe(true);
      }),
    );
  });
});
