import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Bridge } from '../../../../bridge/bridge.ts';
import { startFakeExtension, type FakeExtension } from '../../../contract/fake-extension.ts';
import { startTemporaryBridge } from '../../temporary-bridge.ts';
import { sendRaw } from '../../raw-socket.ts';

let bridge: Bridge;
let extension: FakeExtension;
beforeAll(async () => {
  bridge = await startTemporaryBridge();
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
});
afterAll(async () => {
  extension?.close();
  await bridge?.close();
});

async function send(startLine: string, ...headers: string[]) {
  const { host, port } = new URL(bridge.url);
  const head = headers.some((it) => it.startsWith('Host:')) ? headers : [`Host: ${host}`, ...headers];
  const { status, headers: answered, body } = await sendRaw(Number(port), [`${startLine} HTTP/1.1`, ...head]);
  return { status, id: answered.get('x-request-id'), retry: answered.get('x-should-retry'), body };
}

const shape = (type: string, code: string | null, message: unknown = expect.any(String)) => ({
  error: { message, type, param: null, code },
});
const ownId = /^req_[\da-f-]{36}$/;

describe('a path below /v1 where the bridge has nothing', () => {
  it.each([
    ['GET', '/v1/nope'],
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/V1/Nope?x=1'],
    ['GET', '/v1//models'],
    ['GET', '/v1/%E0%A4%A'],
    ['POST', '/v1/embeddings'],
    ['POST', '/v1/responses'],
    ['POST', '/v1/images/generations'],
    ['POST', '/v1/audio/speech'],
    ['DELETE', '/v1/files/file-1'],
    ['PATCH', '/v1/x'],
  ])('says so to OpenAI’s clients, and what there is: %s %s', async (method, path) => {
    const { status, id, retry, body } = await send(`${method} ${path}`);
    expect([status, id, retry]).toEqual([404, expect.stringMatching(ownId), 'false']);
    expect(JSON.parse(body)).toEqual(
      shape(
        'invalid_request_error',
        'not_found',
        'The bridge does not have this route. It has POST /v1/chat/completions, POST /v1/completions, GET /v1/models, GET /v1/models/{id}.',
      ),
    );
  });

  it('is told to the official client in one request', async () => {
    const client = new OpenAI({ baseURL: `${bridge.url}/v1`, apiKey: 'any' });
    const error: unknown = await client.embeddings.create({ model: 'x', input: 'y' }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'not_found', requestID: expect.stringMatching(ownId) as string });
  });

  it('leaves the other paths to the bridge’s own shape', async () => {
    for (const path of ['/nope', '/v2/models', '/v11', '/api/v1/x'])
      expect(JSON.parse((await send(`GET ${path}`)).body)).toMatchObject({ status: 'error', code: 'not_found' });
  });
});

describe('a refusal below /v1', () => {
  it.each([
    [405, 'DELETE /v1/chat/completions', [], 'invalid_request_error', 'method_not_allowed'],
    [405, 'POST /v1/models/a/b', [], 'invalid_request_error', 'method_not_allowed'],
    [403, 'GET /v1/models', ['Host: evil.com'], 'permission_error', 'host_not_allowed'],
    [403, 'GET /v1/nope', ['Host: evil.com'], 'permission_error', 'host_not_allowed'],
    [403, 'POST /v1/nope', ['Origin: https://evil.com'], 'permission_error', 'origin_not_allowed'],
    [403, 'POST /v1/chat/completions', ['Origin: null'], 'permission_error', 'origin_not_allowed'],
    [403, 'GET /v1/nope', ['Sec-Fetch-Site: cross-site'], 'permission_error', 'cross_site_request'],
    [403, 'OPTIONS /v1/nope', [], 'permission_error', 'cors_not_enabled'],
    [400, 'GET /v1/nope', ['Origin: x', 'Origin: y'], 'invalid_request_error', 'duplicate_header'],
    [415, 'POST /v1/chat/completions', [], 'invalid_request_error', 'unsupported_media_type'],
    [404, 'GET /v1/models/%E0%A4%A', [], 'invalid_request_error', 'model_not_found'],
  ] as const)('has OpenAI’s shape: %i for %s %j', async (status, startLine, headers, type, code) => {
    const answer = await send(startLine, ...headers);
    expect([answer.status, answer.id]).toEqual([status, expect.stringMatching(ownId)]);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { type, code, message: expect.any(String) as string } });
  });
});

describe('the request id', () => {
  it('is on every answer, another each time', async () => {
    const paths = ['/v1/models', '/models', '/v1/models/echo', '/models/echo', '/v1/nope', '/chat/completions'];
    const answers = await Promise.all([...paths, ...paths].map((path) => send(`GET ${path}`)));
    for (const { id } of answers) expect(id).toMatch(ownId);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length);
  });

  it('is that of the call where one was made', async () => {
    const client = new OpenAI({ baseURL: bridge.url, apiKey: 'any' });
    const ask = { model: 'echo', messages: [{ role: 'user' as const, content: 'x' }] };
    const { _request_id: requestId, id } = await client.chat.completions.create(ask);
    expect(requestId).toBe(id);
    expect(id).toMatch(/^chatcmpl-/);
    const wrong: unknown = await client.chat.completions
      .create({ ...ask, temperature: 99 })
      .catch((error: unknown) => error);
    expect(wrong).toMatchObject({ status: 400, requestID: expect.stringMatching(ownId) as string });
  });
});
