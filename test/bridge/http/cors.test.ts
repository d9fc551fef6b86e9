import { unlink } from 'node:fs/promises';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import type { Bridge } from '../../../bridge/bridge.ts';
import { preflightHeaders } from '../../../bridge/http/cors.ts';
import { startFakeExtension, type FakeExtension } from '../../contract/fake-extension.ts';
import { otherFirefox, pair } from '../pairing/pairing-rig.ts';
import { sendRaw } from '../raw-socket.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';

/** The rows B10, B12 and B13 of the security catalogue, over the routes that there are. */

const page = 'http://localhost:3000';
const app = 'https://app.example';

let bridge: Bridge;
let closed: Bridge;
let extension: FakeExtension;
beforeAll(async () => {
  bridge = await startTemporaryBridge({ allowedOrigins: [page, app] });
  closed = await startTemporaryBridge();
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
});
afterAll(async () => {
  extension?.close();
  await Promise.all([bridge?.close(), closed?.close()]);
});

interface Asked {
  origin?: string;
  headers?: string[];
  body?: string;
  at?: Bridge;
}

/** What came of a request as a browser sends it for a page of `origin`. */
async function send(startLine: string, { origin = page, headers = [], body = '', at = bridge }: Asked = {}) {
  const { host, port } = new URL(at.url);
  const head = [`${startLine} HTTP/1.1`, `Host: ${host}`, `Origin: ${origin}`, 'Sec-Fetch-Site: cross-site'];
  const json = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  const answer = await sendRaw(Number(port), [...head, ...(body === '' ? [] : json), ...headers], body);
  const shared = [...answer.headers].filter(([name]) => name.startsWith('access-control-'));
  return { ...answer, shared: Object.fromEntries(shared) };
}

const preflight = (path: string, asked: Asked & { method?: string } = {}) =>
  send(`OPTIONS ${path}`, {
    ...asked,
    headers: [`Access-Control-Request-Method: ${asked.method ?? 'POST'}`, ...(asked.headers ?? [])],
  });

const open = [
  ['POST', '/api/process'],
  ['GET', '/api/result/some-id'],
  ['GET', '/api/status'],
  ['GET', '/health'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/chat/completions'],
  ['POST', '/v1/completions'],
  ['POST', '/completions'],
  ['GET', '/v1/models'],
  ['GET', '/models'],
  ['GET', '/v1/models/some/model'],
  ['GET', '/models/some/model'],
] as const;

const shut = [
  ['POST', '/api/result'],
  ['GET', '/api/requests'],
  ['GET', '/api/requests/some-id'],
  ['DELETE', '/api/requests/some-id'],
  ['GET', '/auth/callback'],
  ['GET', '/auth/signed-in'],
  ['GET', '/auth/failed'],
  ['GET', '/'],
  ['GET', '/style.css'],
  ['GET', '/page.css'],
  ['GET', '/page.js'],
  ['GET', '/icon.svg'],
  ['GET', '/ws'],
  ['GET', '/nothing'],
  ['POST', '/api'],
] as const;

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** A good body for every route that takes one. */
const chat = (stream: boolean) =>
  JSON.stringify({ prompt: 'Hello', model: 'echo', messages: [{ role: 'user', content: 'Hello' }], stream });

const readable = {
  'access-control-allow-origin': page,
  'access-control-expose-headers': 'x-request-id, x-puter-bridge-fidelity, x-should-retry, retry-after',
};

describe('a page of an allowed origin', () => {
  it.each(open)('may ask beforehand, and then call: %s %s', async (method, path) => {
    const { status, shared, headers, body } = await preflight(path, { method });
    expect([status, body]).toEqual([204, '']);
    expect(shared).toEqual({
      ...readable,
      'access-control-allow-methods': method,
      'access-control-max-age': '600',
    });
    expect(headers.get('vary')?.split(', ')).toEqual(
      expect.arrayContaining(['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']),
    );
    const call = await send(`${method} ${path}`);
    expect(call.status).not.toBe(403);
    expect(call.shared).toEqual(readable);
    expect(call.headers.get('vary')).toBe('Origin');
  });

  it.each(shut)('may neither ask nor call: %s %s', async (method, path) => {
    expect(await preflight(path, { method })).toMatchObject({ status: 403, shared: {} });
    const { status, shared, body } = await send(`${method} ${path}`, { headers: path === '/ws' ? upgrade : [] });
    expect([status, shared]).toEqual([403, {}]);
    expect(JSON.parse(body)).toMatchObject({ code: 'origin_not_allowed' });
  });

  it('gets the answer', async () => {
    const { status, body } = await send('POST /api/process', { body: '{"prompt":"Hello"}' });
    expect([status, JSON.parse(body)]).toMatchObject([200, { result: 'You said: Hello' }]);
  });

  it.each(['/v1/chat/completions', '/chat/completions'])('gets a stream from %s', async (path) => {
    const { status, shared, headers, body } = await send(`POST ${path}`, { body: chat(true) });
    expect([status, shared]).toEqual([200, readable]);
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(headers.get('x-request-id')).toMatch(/^chatcmpl-/);
    expect(body).toContain('[DONE]');
  });

  it.each([
    [400, 'POST', '/api/process', { body: '{' }],
    [400, 'POST', '/v1/chat/completions', { body: '{"messages":5}' }],
    [404, 'GET', '/api/result/nobody', {}],
    [404, 'GET', '/v1/models/nobody', {}],
    [404, 'POST', '/v1/embeddings', { body: '{}' }],
    [405, 'GET', '/v1/chat/completions', {}],
    [413, 'POST', '/v1/chat/completions', { headers: ['Content-Type: application/json', 'Content-Length: 99999999'] }],
    [415, 'POST', '/v1/chat/completions', { headers: ['Content-Type: text/plain', 'Content-Length: 0'] }],
    [502, 'POST', '/api/process', { body: '{"prompt":"x","model":"fail:forbidden"}' }],
  ])('can read what went wrong: %i of %s %s', async (status, method, path, asked) => {
    expect(await send(`${method} ${path}`, asked)).toMatchObject({ status, shared: readable });
  });

  it('is one of several', async () => {
    expect((await preflight('/v1/models', { origin: app })).shared).toMatchObject({
      'access-control-allow-origin': app,
    });
  });

  it('still has to name the bridge', async () => {
    const { port } = new URL(bridge.url);
    const head = ['POST /v1/chat/completions HTTP/1.1', 'Host: evil.com', `Origin: ${page}`];
    const { status, headers } = await sendRaw(Number(port), [...head, 'Content-Length: 0']);
    expect([status, headers.has('access-control-allow-origin')]).toEqual([403, false]);
  });
});

describe('B13: everybody else', () => {
  const strangers = [
    'http://localhost:3000.evil.com',
    'http://LOCALHOST:3000',
    'http://localhost:3000/',
    'http://localhost:30000',
    'http://localhost',
    'https://localhost:3000',
    `${page}, ${app}`,
    `${page},`,
    'https://sub.app.example',
    'https://app.example:443',
    'https://evil.com',
    'null',
    '*',
    '',
  ];

  it.each(strangers)('“%s” stays outside, learns nothing and runs nothing', async (origin) => {
    const before = extension.calls.length;
    const headers = ['Access-Control-Request-Private-Network: true'];
    for (const [method, path] of open) {
      expect(await preflight(path, { origin, method, headers })).toMatchObject({ status: 403, shared: {} });
      const call = await send(`${method} ${path}`, { origin, body: method === 'POST' ? chat(false) : '' });
      expect(call).toMatchObject({ status: 403, shared: {} });
    }
    expect(extension.calls.length).toBe(before);
  });

  it('is everybody where no origin is allowed', async () => {
    for (const [method, path] of open) {
      expect(await preflight(path, { method, at: closed })).toMatchObject({ status: 403, shared: {} });
      expect(await send(`${method} ${path}`, { at: closed })).toMatchObject({ status: 403, shared: {} });
    }
  });

  it('gets no such header without an Origin, or from the bridge’s own page', async () => {
    expect((await fetch(`${bridge.url}/v1/models`)).headers.has('access-control-allow-origin')).toBe(false);
    const own = { headers: { Origin: bridge.url } };
    expect((await fetch(`${bridge.url}/v1/models`, own)).headers.has('access-control-allow-origin')).toBe(false);
  });

  it.each(['chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', otherFirefox])(
    '“%s”, which is not paired, learns that the bridge is there, as its socket tells it, and no more',
    async (origin) => {
      const before = extension.calls.length;
      expect(await send('GET /health', { origin })).toMatchObject({ status: 200, body: '{"status":"ok"}' });
      for (const [method, path] of open.filter(([, path]) => path !== '/health')) {
        expect(await preflight(path, { origin, method })).toMatchObject({ status: 403, shared: {} });
        expect(await send(`${method} ${path}`, { origin })).toMatchObject({ status: 403, shared: {} });
      }
      expect(extension.calls.length).toBe(before);
    },
  );

  it('does not change what the extension may do', async () => {
    expect((await preflight('/api/result', { origin: extensionOrigin })).status).toBe(204);
    expect((await preflight('/v1/chat/completions', { origin: extensionOrigin })).status).toBe(403);
  });
});

it('lets an extension that is paired in where ours is, until it is unpaired', async () => {
  const { dir, remove } = await createTemporaryFolder('paired');
  const at = await startTemporaryBridge({ stateDir: dir });
  onTestFinished(async () => {
    await at.close();
    await remove();
  });
  const ask = async (path: string) => (await preflight(path, { origin: otherFirefox, at })).status;
  expect(await ask('/api/process')).toBe(403);
  await pair(at, { origin: otherFirefox });
  expect([await ask('/api/process'), await ask('/api/result'), await ask('/v1/chat/completions')]).toEqual([
    204, 204, 403,
  ]);
  const secretless = { origin: otherFirefox, at, body: '{}' };
  expect((await send('POST /api/result', secretless)).status).toBe(403);
  await unlink(path.join(dir, 'pairings.json'));
  await expect.poll(() => ask('/api/process')).toBe(403);
});

describe('a preflight', () => {
  const ask = (names: string) =>
    preflightHeaders({ 'access-control-request-headers': names }, 'POST')['Access-Control-Allow-Headers'];

  it('B12: allows the headers that clients send, of those that it asks for', () => {
    const official = [
      'authorization',
      'content-type',
      'x-api-key',
      'api-key',
      'anthropic-version',
      'anthropic-dangerous-direct-browser-access',
      'openai-organization',
      'x-stainless-retry-count',
      'x-request-id',
      'idempotency-key',
      'x-puter-bridge-fidelity',
      'user-agent',
      'http-referer',
      'x-title',
    ];
    expect(ask(official.join(','))).toBe(official.join(', '));
    expect(ask('Authorization, X-Stainless-OS ,cookie,authorization')).toBe('authorization, x-stainless-os');
  });

  it.each([
    '',
    ',',
    '*',
    'cookie',
    'x-forwarded-host',
    'sec-fetch-site',
    'xauthorization',
    'authorization-x',
    'x-stainless-',
    'x-stainless',
    'my-x-stainless-os',
    'x-stainless-o s',
    'x-stainless-os:',
    'openai-é',
    'openai-"x"',
    'openai-(x)',
  ])('does not allow “%s”', (names) => {
    expect(ask(names)).toBeUndefined();
  });

  it('never says a name that was not asked for, or that is none', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.constantFrom('openai-', 'x-stainless-', ''), (text, family) => {
        const allowed = ask(`content-type,${family}${text}`)?.split(', ') ?? [];
        expect(allowed[0]).toBe('content-type');
        for (const name of allowed) {
          expect(name).toMatch(/^[\w!#$%&'*+.^`|~-]+$/);
          expect(`content-type,${family}${text}`.toLowerCase()).toContain(name);
        }
      }),
    );
  });

  it('B10: lets into the private network whoever is allowed and asks', async () => {
    const answer = async (headers: string[], at = bridge) =>
      (await preflight('/v1/models', { headers, at })).shared['access-control-allow-private-network'];
    expect(await answer(['Access-Control-Request-Private-Network: true'])).toBe('true');
    expect(await answer([])).toBeUndefined();
    expect(await answer(['Access-Control-Request-Private-Network: yes'])).toBeUndefined();
    expect(await answer(['Access-Control-Request-Private-Network: true'], closed)).toBeUndefined();
  });
});
