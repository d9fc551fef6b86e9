import { describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import type { RawAnswer } from '../bridge/raw-socket.ts';
import { json, refusalOf, useBridge } from './bridge-rig.ts';

/** Origin, CORS and preflights. Where an allowed origin may call and what it may read, test/bridge/http/cors.test.ts says. */

const page = 'http://localhost:3000';
const notAllowed = { status: 403, code: 'origin_not_allowed' };

const strangers: [string, string][] = [
  ['B1', 'https://evil.com'],
  ['B2', 'null'],
  ['B5', 'https://puter.com'],
  ['B6', 'chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['B6', 'moz-extension://0190a8f0-0000-7000-8000-000000000000'],
  ['B6', `${extensionOrigin}/`],
  ['B6', `${extensionOrigin}.evil.com`],
  ['B6', extensionOrigin.toUpperCase()],
  ['B7', 'http://127.0.0.1:P.evil.com'],
  ['B7', 'http://localhost.evil.com'],
  ['B7', 'http://evil.com#http://127.0.0.1:P'],
  ['B7', 'file://'],
  ['B7', ''],
  ['B7', 'not a url'],
  ['B7', 'http://['],
  ['B7', 'http://127.0.0.1'],
  ['B7', 'https://127.0.0.1:P'],
  ['B7', 'http://127.0.0.1:P/'],
  ['B7', 'HTTP://127.0.0.1:P'],
];

describe('where no origin is allowed', () => {
  const rig = useBridge();

  it.each(strangers)('%s the Origin “%s” is refused at every route, and in a preflight', async (_, origin) => {
    const headers = [`Origin: ${origin}`];
    expect(refusalOf(await rig.r0(headers))).toEqual(notAllowed);
    // Any extension learns by its socket that the bridge is there, and may ask as much.
    const closed = /^[a-z]+-extension:\/\/[\da-f-]+$/.test(origin) ? [] : ['GET /health'];
    for (const startLine of [...closed, 'GET /nothing', 'GET /v1/models', 'POST /api/result', 'OPTIONS /api/process'])
      expect(refusalOf(await rig.send(startLine, headers))).toEqual(notAllowed);
  });

  it('B4 the bridge’s own page is let in', async () => {
    rig.expectCalls(2);
    for (const origin of ['http://127.0.0.1:P', 'http://localhost:P'])
      expect((await rig.r0([`Origin: ${origin}`])).status).toBe(200);
  });

  it('B6 our own extension is let in for its calls and answers, and to nothing else', async () => {
    rig.expectCalls(1);
    const headers = [`Origin: ${extensionOrigin}`];
    expect((await rig.r0(headers)).status).toBe(200);
    expect(refusalOf(await rig.send('POST /api/result', headers))).toEqual({ status: 403, code: 'not_the_extension' });
    for (const startLine of ['GET /', 'GET /api/status', 'GET /v1/models', 'POST /v1/chat/completions', 'GET /nothing'])
      expect(refusalOf(await rig.send(startLine, headers))).toEqual(notAllowed);
  });

  it.each([
    ['http://127.0.0.1:P', 'https://evil.com'],
    ['https://evil.com', 'http://127.0.0.1:P'],
    ['http://127.0.0.1:P', 'http://127.0.0.1:P'],
  ])('B8 there is one Origin, not %s and %s', async (...origins) => {
    const answer = await rig.r0(origins.map((origin) => `Origin: ${origin}`));
    expect(refusalOf(answer)).toEqual({ status: 400, code: 'duplicate_header' });
  });

  it('B10 a page does not get into the private network by asking beforehand', async () => {
    const asks = ['Access-Control-Request-Method: POST', 'Access-Control-Request-Private-Network: true'];
    for (const origin of ['https://evil.com', 'null', page])
      expect(refusalOf(await rig.send('OPTIONS /api/process', [`Origin: ${origin}`, ...asks]))).toEqual(notAllowed);
  });

  it('B11 OPTIONS is for pages alone', async () => {
    for (const path of ['/health', '/api/process', '/api/result', '/v1/models', '/nothing'])
      for (const origin of [[], ['Origin: http://127.0.0.1:P']])
        expect(refusalOf(await rig.send(`OPTIONS ${path}`, origin))).toEqual({ status: 403, code: 'cors_not_enabled' });
  });

  it('B16 programs send none', async () => {
    rig.expectCalls(1);
    expect((await rig.r0()).status).toBe(200);
  });

  it('B17 no answer, good or bad, is shared, sniffed, framed or stored', async () => {
    rig.expectCalls(1);
    const answers: RawAnswer[] = [
      await rig.g0(),
      await rig.r0(),
      await rig.send('GET /'),
      await rig.r0(['Origin: null']),
      await rig.r0([], '{'),
      await rig.send('GET /nothing'),
      await rig.send('GET /v1/nothing'),
      await rig.send('GET //'),
      await rig.send('PUT /api/process'),
      await rig.send('GET /health', ['Content-Length: -1']),
      await rig.send('GET /health', ['Expect: the unexpected']),
      await rig.w0(['Origin: null']),
      await rig.g0(Array.from({ length: 200 }, (_, n) => `X-${n}: x`)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([
      ...[200, 200, 200, 403, 400, 404, 404, 400, 405, 400, 417, 403, 431],
    ]);
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
      });
    }
  });
});

describe('where an origin is allowed', () => {
  const rig = useBridge({ allowedOrigins: [page] });
  const preflight = (origin: string) =>
    rig.send('OPTIONS /api/process', [
      `Origin: ${origin}`,
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: authorization, content-type, idempotency-key, cookie',
    ]);

  it('B12 its page hears in a preflight what it may send, for ten minutes, and never with cookies', async () => {
    const { status, headers } = await preflight(page);
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-headers': 'authorization, content-type, idempotency-key',
      'access-control-max-age': '600',
      vary: expect.stringMatching(/^Origin\b/) as string,
    });
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  it.each([
    'http://localhost:3000.evil.com',
    'http://LOCALHOST:3000/',
    'http://LOCALHOST:3000',
    'http://localhost:3000/',
    'http://localhost:30000',
    'http://localhost',
    'https://localhost:3000',
    `${page}, https://evil.com`,
    '*',
  ])('B13 %s is another', async (origin) => {
    expect(refusalOf(await preflight(origin))).toEqual(notAllowed);
    expect(refusalOf(await rig.r0([`Origin: ${origin}`]))).toEqual(notAllowed);
  });

  it('B13 its page may call', async () => {
    rig.expectCalls(1);
    const { status, body } = await rig.r0([`Origin: ${page}`, 'Sec-Fetch-Site: cross-site'], json({ prompt: 'Hello' }));
    expect([status, JSON.parse(body)]).toMatchObject([200, { result: 'You said: Hello' }]);
  });
});
