import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { ask } from '../browser/rig.ts';
import type { Subject } from './process-contract.ts';

/** Everything that is refused before it becomes a call. */
export function describeRefusals(subject: () => Subject): void {
  describe('refuses', () => {
    const send = async (init: RequestInit, path = '/api/process') => {
      const before = subject().calls.length;
      const response = await fetch(`${subject().url}${path}`, init);
      const text = await response.text();
      expect(subject().calls.length).toBe(before);
      expect(text).not.toContain('secret-content');
      expect((await fetch(`${subject().url}/health`)).status).toBe(200);
      return { response, body: JSON.parse(text) as Record<string, unknown> };
    };
    const post = (body: BodyInit, type = 'application/json', path?: string) =>
      send({ method: 'POST', headers: { 'Content-Type': type }, body }, path);

    it.each([
      [{}, 'prompt', 'missing_parameter'],
      [{ prompt: null }, 'prompt', 'invalid_type'],
      [{ prompt: 5 }, 'prompt', 'invalid_type'],
      [{ prompt: '  ' }, 'prompt', 'invalid_value'],
      [{ prompt: ['secret-content'] }, 'prompt', 'invalid_type'],
      [{ prompt: '\uD800secret-content' }, 'prompt', 'invalid_unicode'],
      [{ prompt: 'secret-content', model: '' }, 'model', 'invalid_value'],
      [{ prompt: 'secret-content', model: ' ' }, 'model', 'invalid_value'],
      [{ prompt: 'secret-content', model: null }, 'model', 'invalid_type'],
      [{ prompt: 'secret-content', model: 'm'.repeat(201) }, 'model', 'invalid_value'],
      [{ prompt: 'secret-content', system: '' }, 'system', 'invalid_value'],
      [{ prompt: 'secret-content', system: 1 }, 'system', 'invalid_type'],
      [{ prompt: 'secret-content', system: null }, 'system', 'invalid_type'],
      [{ prompt: 'secret-content', system: ['secret-content'] }, 'system', 'invalid_type'],
      [{ prompt: 'secret-content', temperature: 'secret-content' }, 'temperature', 'invalid_type'],
      [{ prompt: 'secret-content', temperature: -0.1 }, 'temperature', 'invalid_value'],
      [{ prompt: 'secret-content', temperature: 2.1 }, 'temperature', 'invalid_value'],
      [{ prompt: 'secret-content', temperature: null }, 'temperature', 'invalid_type'],
      [{ prompt: 'secret-content', max_tokens: 0 }, 'max_tokens', 'invalid_value'],
      [{ prompt: 'secret-content', max_tokens: 1.5 }, 'max_tokens', 'invalid_value'],
      [{ prompt: 'secret-content', max_tokens: '7' }, 'max_tokens', 'invalid_type'],
      [{ prompt: 'secret-content', max_tokens: 10_000_001 }, 'max_tokens', 'invalid_value'],
      [{ prompt: 'secret-content', max_tokens: null }, 'max_tokens', 'invalid_type'],
      [{ prompt: 'secret-content', timeout_ms: 0 }, 'timeout_ms', 'invalid_value'],
      [{ prompt: 'secret-content', timeout_ms: 1.5 }, 'timeout_ms', 'invalid_value'],
      [{ prompt: 'secret-content', timeout_ms: 600_001 }, 'timeout_ms', 'invalid_value'],
      [{ prompt: 'secret-content', timeout_ms: 'secret-content' }, 'timeout_ms', 'invalid_type'],
      [{ prompt: 'secret-content', timeout_ms: null }, 'timeout_ms', 'invalid_type'],
      [{ prompt: 'secret-content', wait: 'secret-content' }, 'wait', 'invalid_type'],
      [{ prompt: 'secret-content', wait: 0 }, 'wait', 'invalid_type'],
      [{ prompt: 'secret-content', wait: null }, 'wait', 'invalid_type'],
    ])('%j, naming the field', async (body, param, code) => {
      const { response, body: answer } = await post(JSON.stringify(body));
      expect(response.status).toBe(400);
      expect(answer).toEqual({
        status: 'error',
        error: expect.stringContaining(param) as string,
        code,
        param,
        request_id: null,
      });
    });

    it.each(['{', '{"prompt":"secret-content",}', "{'prompt':'x'}", '{"prompt":NaN}', '', 'secret-content'])(
      '%j as JSON',
      async (body) => {
        const { response, body: answer } = await post(body);
        expect([response.status, answer['code']]).toEqual([400, 'invalid_json']);
      },
    );

    it.each(['null', '[]', '"secret-content"', '5', 'true'])('%s as a body', async (body) => {
      const { response, body: answer } = await post(body);
      expect([response.status, answer['code']]).toEqual([400, 'invalid_type']);
    });

    it('bytes that are not UTF-8', async () => {
      const { response, body } = await post(Buffer.from('7b2270726f6d7074223a22ff227d', 'hex'));
      expect([response.status, body['code']]).toEqual([400, 'invalid_utf8']);
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'text/json',
      'application/jsonx',
      'text/plain; application/json',
    ])('a body of type %s', async (type) => {
      const { response, body } = await post('{"prompt":"p"}', type);
      expect([response.status, body['code']]).toEqual([415, 'unsupported_media_type']);
    });

    it('a body without a type, or compressed', async () => {
      const { status } = await raw('POST', '/api/process', { 'Content-Length': 2 }, '{}');
      expect(status).toBe(415);
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      const { response, body } = await send({ method: 'POST', headers, body: '{"prompt":"p"}' });
      expect([response.status, body['code']]).toEqual([415, 'unsupported_media_type']);
    });

    it.each([
      ['GET', '/api/process', 'POST'],
      ['PUT', '/api/process', 'POST'],
      ['GET', '/api/result', 'POST'],
      ['DELETE', '/api/result/nobody', 'GET'],
      ['POST', '/api/status', 'GET'],
      ['POST', '/health', 'GET'],
      ['PATCH', '/', 'GET'],
    ])('%s %s, saying that it takes %s', async (method, path, allow) => {
      const { response, body } = await send({ method }, path);
      expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
      expect(body).toEqual({
        status: 'error',
        error: expect.stringContaining(allow) as string,
        code: 'method_not_allowed',
        request_id: null,
      });
    });

    it.each(['/api/nothing', '/api', '/api/process/more', '/API/../etc/passwd', '/%E0%A4%A', '/__proto__'])(
      '%s, where nothing is',
      async (path) => {
        const { response, body } = await send({}, path);
        expect([response.status, body['code'], body['request_id']]).toEqual([404, 'not_found', null]);
      },
    );

    const limit = 32 * 1024 * 1024;
    const json = { 'Content-Type': 'application/json' };

    it('a body above 32 MiB by what it announces, before it is sent', async () => {
      const { status, body } = await raw('POST', '/api/process', { ...json, 'Content-Length': limit + 1 }, '{');
      expect([status, JSON.parse(body)]).toMatchObject([413, { code: 'request_too_large', request_id: null }]);
    });

    it('a body above 32 MiB that is sent in chunks and announces nothing', async () => {
      const { status, body } = await raw('POST', '/api/process', json, Buffer.alloc(limit + 1, 'a'));
      expect(status).toBe(413);
      expect(body).toContain('request_too_large');
    });

    it('no body of 32 MiB for its size', async () => {
      const body = `{"prompt":""}`.padEnd(limit);
      const { response, body: answer } = await post(body);
      expect([response.status, answer['param']]).toEqual([400, 'prompt']);
    });

    it('pages of other sites', async () => {
      const { status, headers, body } = await raw('GET', '/health', { Origin: 'https://evil.example' });
      expect([status, JSON.parse(body)]).toMatchObject([403, { code: 'origin_not_allowed' }]);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    });

    it('the extension’s own page where it has no business, and answers its calls', async () => {
      const asks = { ...json, Origin: extensionOrigin };
      const call = await raw('POST', '/api/process', asks, '{}', true);
      expect([call.status, JSON.parse(call.body)]).toMatchObject([400, { param: 'prompt' }]);
      expect(call.headers['access-control-allow-origin']).toBe(extensionOrigin);
      const preflight = await raw('OPTIONS', '/api/process', {
        Origin: extensionOrigin,
        'Access-Control-Request-Headers': 'content-type',
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers['access-control-allow-headers']).toContain('content-type');
      for (const path of ['/api/status', '/', '/auth/callback', '/api/result/nobody']) {
        const { status, headers } = await raw('GET', path, { Origin: extensionOrigin });
        expect([path, status, headers['access-control-allow-origin']]).toEqual([path, 403, undefined]);
      }
      const other = `chrome-extension://${'a'.repeat(32)}`;
      for (const origin of [other, 'https://puter.com', 'null'])
        expect((await raw('POST', '/api/process', { ...json, Origin: origin }, '{}', true)).status).toBe(403);
    });

    it('names that are not its own', async () => {
      const { status, body } = await raw('GET', '/health', { Host: 'evil.example' });
      expect([status, JSON.parse(body)]).toMatchObject([403, { code: 'host_not_allowed' }]);
    });

    it.each([
      ['no secret', undefined],
      ['a guess', 'Bearer guess'],
      ['an empty one', 'Bearer '],
      ['another scheme', 'Basic guess'],
      ['a very long one', `Bearer ${'x'.repeat(5000)}`],
    ])('a result from whoever has not the secret: %s', async (_, authorization) => {
      const headers = { 'Content-Type': 'application/json', ...(authorization && { Authorization: authorization }) };
      // Also where the body is wrong: a stranger learns nothing.
      for (const text of ['{"request_id":"x","result":"secret-content"}', '{', '[]']) {
        const { response, body } = await send({ method: 'POST', headers, body: text }, '/api/result');
        expect([response.status, body['code'], body['request_id']]).toEqual([403, 'not_the_extension', null]);
      }
    });

    it('nothing that is good, after all this', async () => {
      expect((await ask(subject().url, { prompt: 'Still there?' })).status).toBe(200);
    });

    /** What `fetch` would not send. A body never ends unless it is `whole`: the answer must not wait for that. */
    async function raw(
      method: string,
      path: string,
      headers: OutgoingHttpHeaders,
      sent?: string | Buffer,
      whole = sent === undefined,
    ) {
      const outgoing = request(`${subject().url}${path}`, { method, headers });
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
      if (sent !== undefined) outgoing.write(sent);
      if (whole) outgoing.end();
      const [response] = await answered;
      const body = await text(response);
      // The bridge may close while the rest is still on its way.
      outgoing.on('error', () => {}).destroy();
      return { status: response.statusCode, headers: response.headers, body };
    }
  });
}
