import { connect } from 'node:net';

import { describe, expect, it } from 'vitest';

import { process as ask } from '../browser/rig.ts';
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
      [{}, 'prompt'],
      [{ prompt: 5 }, 'prompt'],
      [{ prompt: '  ' }, 'prompt'],
      [{ prompt: ['secret-content'] }, 'prompt'],
      [{ prompt: '\uD800' }, 'prompt'],
      [{ prompt: 'p', model: '' }, 'model'],
      [{ prompt: 'p', model: 'm'.repeat(201) }, 'model'],
      [{ prompt: 'p', system: 1 }, 'system'],
      [{ prompt: 'p', temperature: 'hot' }, 'temperature'],
      [{ prompt: 'p', temperature: 3 }, 'temperature'],
      [{ prompt: 'p', max_tokens: 0 }, 'max_tokens'],
      [{ prompt: 'p', max_tokens: 1.5 }, 'max_tokens'],
      [{ prompt: 'p', timeout_ms: 0 }, 'timeout_ms'],
      [{ prompt: 'p', timeout_ms: 600_001 }, 'timeout_ms'],
      [{ prompt: 'p', wait: 'no' }, 'wait'],
    ])('%j, naming the field', async (body, param) => {
      const { response, body: answer } = await post(JSON.stringify(body));
      expect(response.status).toBe(400);
      expect(answer).toEqual({
        status: 'error',
        error: expect.stringContaining(param) as string,
        code: 'invalid_request',
        param,
        request_id: null,
      });
    });

    it.each(['{', '{"prompt":"secret-content",}', "{'prompt':'x'}", '{"prompt":NaN}', ''])(
      '%j as JSON',
      async (body) => {
        const { response, body: answer } = await post(body);
        expect([response.status, answer['code']]).toEqual([400, 'invalid_json']);
      },
    );

    it.each(['null', '[]', '"x"', '5'])('%s as a body', async (body) => {
      const { response, body: answer } = await post(body);
      expect([response.status, answer['code']]).toEqual([400, 'invalid_request']);
    });

    it('bytes that are not UTF-8', async () => {
      const { response, body } = await post(Buffer.from('7b2270726f6d7074223a22ff227d', 'hex'));
      expect([response.status, body['code']]).toEqual([400, 'invalid_json']);
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

    it('other methods, saying which there are', async () => {
      const { response, body } = await send({ method: 'PUT' });
      expect([response.status, response.headers.get('allow'), body['code']]).toEqual([
        405,
        'POST',
        'method_not_allowed',
      ]);
    });

    it('other paths', async () => {
      const { response, body } = await post('{}', 'application/json', '/api/nothing');
      expect([response.status, body['code']]).toEqual([404, 'not_found']);
    });

    it('a body above 32 MiB, whether it says so or not', async () => {
      const { response, body } = await post(JSON.stringify({ prompt: 'a'.repeat(32 * 1024 * 1024) }));
      expect([response.status, body['code']]).toEqual([413, 'request_too_large']);
      const head = await raw(
        'POST /api/process HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
      );
      expect(head).toMatch(/^HTTP\/1\.1 413 /);
    });

    it('pages of other sites, and names that are not its own', async () => {
      const page = await raw('GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n');
      expect(page).toMatch(/^HTTP\/1\.1 403 [^]*origin_not_allowed/);
      expect(page).not.toMatch(/access-control-allow/i);
      expect(await raw('GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toMatch(
        /^HTTP\/1\.1 403 [^]*host_not_allowed/,
      );
    });

    it('results from anybody but the connected extension', async () => {
      const { response, body } = await post('{"request_id":"x","result":"y"}', 'application/json', '/api/result');
      expect([response.status, body['code']]).toEqual([403, 'not_the_extension']);
      const guess = await send(
        { method: 'POST', headers: { Authorization: 'Bearer guess', 'Content-Type': 'application/json' }, body: '{}' },
        '/api/result',
      );
      expect(guess.response.status).toBe(403);
    });

    it('nothing of all this ends it', async () => {
      const response = await fetch(`${subject().url}/health`);
      expect(await response.text()).toBe('{"status":"ok"}');
      expect((await ask(subject().url, { prompt: 'Still there?' })).status).toBe(200);
      const page = await fetch(subject().url);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await page.text()).toContain('Requests are answered');
    });

    /** The first bytes of the answer to something that `fetch` would not send. */
    function raw(request: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const socket = connect(Number(new URL(subject().url).port), '127.0.0.1', () => socket.write(request));
        socket.once('data', (bytes) => {
          resolve(bytes.toString('latin1'));
          socket.destroy();
        });
        socket.once('error', reject);
      });
    }
  });
}
