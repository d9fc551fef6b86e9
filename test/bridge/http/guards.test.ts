import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { createApp } from '../../../bridge/http/app.ts';
import { sendRaw, type RawAnswer } from '../raw-socket.ts';

/** The rows A1–A9, B1–B8, B11 and C1–C5 of the security catalogue; `P` stands for the port. */

let server: Server;
let port: number;
let handled = 0;
const unexpected: unknown[] = [];

beforeAll(async () => {
  const handle = () => ({ status: 200, body: { handled: (handled += 1) } });
  const app = createApp(
    [
      { method: 'GET', path: '/health', fromExtension: true, handle },
      { method: 'POST', path: '/api/process', handle },
      { method: 'GET', path: '/once', once: true, handle },
      { method: 'GET', path: '/away', handle: () => ({ status: 303, location: '/health' }) },
      { method: 'GET', path: '/query', handle: ({ query }) => ({ status: 200, body: [...query] }) },
      { method: 'GET', path: '/api/status', handle },
      { method: 'POST', path: '/api/result', fromExtension: true, handle },
      { method: 'GET', path: '/half', fromAllowedOrigins: true, handle },
      { method: 'POST', path: '/half', handle },
      { method: '*', path: '/family{/*rest}', handle: () => ({ status: 404, body: {} }) },
      { method: 'GET', path: '/family/member', headers: () => ({ 'x-turn': `${handled}` }), handle },
    ],
    { onUnexpected: (error) => unexpected.push(error), allowedOrigins: ['https://app.example'] },
  );
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const atPort = (text: string) => text.replaceAll(':P', `:${port}`);

const send = (startLine: string, host: string, ...headers: string[]): Promise<RawAnswer> =>
  sendRaw(port, [`${startLine} HTTP/1.1`, `Host: ${atPort(host)}`, ...headers.map(atPort)]);

const g0 = (...headers: string[]) => send('GET /health', '127.0.0.1:P', ...headers);
const r0 = (...headers: string[]) =>
  send('POST /api/process', '127.0.0.1:P', 'Content-Type: application/json', 'Content-Length: 0', ...headers);

/** What came of one request: the code of a refusal in our own shape, and whether anything ran or was given away. */
async function outcomeOf(asked: Promise<RawAnswer>): Promise<object> {
  const before = handled;
  const { status, headers, body } = await asked;
  const { code, request_id: requestId } = JSON.parse(body);
  const shared = [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  const ran = handled - before;
  return { status, code, requestId, shared, ran, alive: (await g0()).status, unexpected: unexpected.length };
}

const refused = (code: string) => ({
  status: 403,
  code,
  requestId: null,
  shared: [],
  ran: 0,
  alive: 200,
  unexpected: 0,
});

describe('the Host', () => {
  it.each(['127.0.0.1:P', 'localhost:P', 'LOCALHOST:P', '[::1]:P', '127.0.0.1', 'localhost', '[::1]'])(
    'A1: %s is ours',
    async (host) => expect((await send('GET /health', host)).status).toBe(200),
  );

  it.each([
    ['A2', 'evil.com'],
    ['A2', 'evil.com:P'],
    ['A3', '0.0.0.0'],
    ['A3', '0.0.0.0:P'],
    ['A3', '[::]'],
    ['A3', '[::]:P'],
    ['A5', '127.1'],
    ['A5', '127.1:P'],
    ['A5', '2130706433'],
    ['A5', '0x7f000001'],
    ['A5', '0177.0.0.1'],
    ['A6', 'localhost.evil.com'],
    ['A6', '127.0.0.1.nip.io'],
    ['A6', 'evil-localhost'],
    ['A6', 'foo.localhost'],
    ['A6', 'localhost.'],
    ['A6', 'localhost.:P'],
    ['A7', 'user@127.0.0.1'],
    ['A7', '127.0.0.1/x'],
    ['A7', '127.0.0.1#x'],
    ['A7', '%6cocalhost'],
    ['A7', '[::1'],
    ['A7', 'a b'],
    ['A8', '127.0.0.1:80'],
    ['A8', '127.0.0.1:99999'],
    ['A8', '127.0.0.1:P:P'],
    ['A8', '127.0.0.1:http'],
    ['A8', '127.0.0.1:'],
    ['A9', ''],
  ])('%s: “%s” is refused on every route', async (_, host) => {
    for (const route of ['GET /health', 'GET /api/status', 'GET /nothing', 'POST /api/process', 'POST /api/result'])
      expect(await outcomeOf(send(route, host))).toEqual(refused('host_not_allowed'));
  });

  it('is refused for the extension too, and in a preflight', async () => {
    expect(await outcomeOf(send('GET /health', 'evil.com', `Origin: ${extensionOrigin}`))).toEqual(
      refused('host_not_allowed'),
    );
    expect(await outcomeOf(send('OPTIONS /api/result', 'evil.com', `Origin: ${extensionOrigin}`))).toEqual(
      refused('host_not_allowed'),
    );
  });

  it('is not repeated in the refusal', async () => {
    expect((await send('GET /health', 'secret.example')).body).not.toContain('secret.example');
  });

  it('A14: is not taken from what a proxy says', async () => {
    const forwarded = ['X-Forwarded-Host: evil.com', 'Forwarded: host=evil.com', 'X-Forwarded-For: 8.8.8.8'];
    expect((await g0(...forwarded)).status).toBe(200);
    expect(await outcomeOf(send('GET /health', 'evil.com', 'X-Forwarded-Host: 127.0.0.1:P'))).toEqual(
      refused('host_not_allowed'),
    );
  });
});

describe('the Origin', () => {
  it('B16: is not needed, for programs send none', async () => {
    expect((await r0()).status).toBe(200);
  });

  it.each(['http://127.0.0.1:P', 'http://localhost:P'])('B4: %s is the bridge’s own page', async (origin) => {
    expect((await r0(`Origin: ${origin}`)).status).toBe(200);
  });

  it.each([
    ['B1', 'https://evil.com'],
    ['B2', 'null'],
    ['B5', 'https://puter.com'],
    ['B6', extensionOrigin],
    ['B6', 'chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['B6', 'moz-extension://0190a8f0-0000-7000-8000-000000000000'],
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
  ])('%s: “%s” is refused', async (_, origin) => {
    expect(await outcomeOf(r0(`Origin: ${origin}`))).toEqual(refused('origin_not_allowed'));
    expect(await outcomeOf(send('GET /nothing', '127.0.0.1:P', `Origin: ${origin}`))).toEqual(
      refused('origin_not_allowed'),
    );
    expect(await outcomeOf(send('OPTIONS /api/process', '127.0.0.1:P', `Origin: ${origin}`))).toEqual(
      refused('origin_not_allowed'),
    );
  });

  it.each([
    ['http://127.0.0.1:P', 'https://evil.com'],
    ['https://evil.com', 'http://127.0.0.1:P'],
    ['http://127.0.0.1:P', 'http://127.0.0.1:P'],
  ])('B8: is one, not %s and %s', async (...origins) => {
    const headers = origins.map((origin) => `Origin: ${origin}`);
    expect(await outcomeOf(r0(...headers))).toEqual({ ...refused('duplicate_header'), status: 400 });
  });

  it('that is allowed opens no route by itself, and no path of which a part stays shut', async () => {
    const origin = 'Origin: https://app.example';
    for (const route of ['POST /api/process', 'GET /half', 'POST /half', 'OPTIONS /half', 'GET /family/x'])
      expect(await outcomeOf(send(route, '127.0.0.1:P', origin))).toEqual(refused('origin_not_allowed'));
  });

  it('B11: belongs to OPTIONS, at every path', async () => {
    for (const path of ['/health', '/api/process', '/api/result', '/nothing'])
      for (const origin of [[], ['Origin: http://127.0.0.1:P']])
        expect(await outcomeOf(send(`OPTIONS ${path}`, '127.0.0.1:P', ...origin))).toEqual(refused('cors_not_enabled'));
  });

  it.each([`${extensionOrigin}/`, `${extensionOrigin}.evil.com`, extensionOrigin.toUpperCase(), 'null'])(
    'of the extension is accepted where it is needed, %s is not',
    async (origin) => {
      expect((await g0(`Origin: ${extensionOrigin}`)).status).toBe(200);
      expect(await outcomeOf(g0(`Origin: ${origin}`))).toEqual(refused('origin_not_allowed'));
      expect(await outcomeOf(send('POST /api/result', '127.0.0.1:P', `Origin: ${origin}`))).toEqual(
        refused('origin_not_allowed'),
      );
      expect(await outcomeOf(send('OPTIONS /api/result', '127.0.0.1:P', `Origin: ${origin}`))).toEqual(
        refused('origin_not_allowed'),
      );
    },
  );

  it('of the extension gets the headers that let it read the answer, and nobody else does', async () => {
    const { status, headers } = await send('OPTIONS /api/result', '127.0.0.1:P', `Origin: ${extensionOrigin}`);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(extensionOrigin);
    expect(headers.get('vary')).toMatch(/^Origin\b/);
    expect(headers.has('access-control-allow-credentials')).toBe(false);
    expect(headers.has('access-control-allow-private-network')).toBe(false);
    expect((await g0()).headers.has('access-control-allow-origin')).toBe(false);
    expect((await g0('Origin: http://127.0.0.1:P')).headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('Sec-Fetch-Site', () => {
  it.each(['cross-site', 'same-site', 'CROSS-SITE', 'x', ''])('C1, C4: “%s” is refused', async (site) => {
    expect(await outcomeOf(r0(`Sec-Fetch-Site: ${site}`))).toEqual(refused('cross_site_request'));
    expect(await outcomeOf(g0(`Sec-Fetch-Site: ${site}`))).toEqual(refused('cross_site_request'));
  });

  it.each(['same-origin', 'none'])('C2: %s is processed', async (site) => {
    expect((await r0(`Sec-Fetch-Site: ${site}`)).status).toBe(200);
  });

  it('C5: is not needed', async () => {
    expect((await r0()).status).toBe(200);
  });

  it('lets a link lead to a page, and nothing else by that way', async () => {
    const link = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate'];
    expect((await g0(...link)).status).toBe(200);
    expect(await outcomeOf(r0(...link))).toEqual(refused('cross_site_request'));
    expect(await outcomeOf(g0(...link, 'Origin: https://evil.com'))).toEqual(refused('origin_not_allowed'));
    expect((await g0(...link, 'Sec-Fetch-Dest: document')).status).toBe(200);
    for (const place of ['iframe', 'frame', 'embed', 'object', 'empty', ''])
      expect(await outcomeOf(g0(...link, `Sec-Fetch-Dest: ${place}`))).toEqual(refused('cross_site_request'));
  });

  it('of the extension’s own call does not matter', async () => {
    expect((await g0(`Origin: ${extensionOrigin}`, 'Sec-Fetch-Site: cross-site')).status).toBe(200);
  });
});

it('B17: every answer, good or bad, keeps browsers from sharing, sniffing, framing and storing it', async () => {
  for (const { headers } of [await g0(), await r0('Origin: null'), await send('GET /nothing', 'localhost')]) {
    expect(Object.fromEntries(headers)).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
  }
});

describe('a route', () => {
  const at = (startLine: string) => send(startLine, '127.0.0.1:P');

  it('is asked for its head by HEAD, unless asking uses something up', async () => {
    const before = handled;
    expect((await at('HEAD /health')).status).toBe(200);
    expect(handled).toBe(before + 1);
    const { status, headers } = await at('HEAD /once');
    expect([status, headers.get('allow')]).toEqual([405, 'GET']);
    expect(handled).toBe(before + 1);
    expect((await at('GET /once')).status).toBe(200);
  });

  it('may stand for a whole family of paths, after those that stand for one', async () => {
    for (const [method, path] of [
      ['GET', '/family'],
      ['GET', '/family/'],
      ['HEAD', '/family/x'],
      ['DELETE', '/family/x/y'],
      ['POST', '/family//x'],
      ['POST', '/family/%E0%A4%A'],
    ])
      expect([path, (await at(`${method} ${path}`)).status]).toEqual([path, 404]);
    expect((await at('GET /family/member')).status).toBe(200);
    expect((await at('DELETE /family/member')).status).toBe(405);
  });

  it('gives its own headers to every answer, refusals too', async () => {
    for (const answer of [at('GET /family/member'), at('POST /family/member'), send('GET /family/member', 'evil.com')])
      expect((await answer).headers.get('x-turn')).toMatch(/^\d+$/);
    expect((await at('GET /family/other')).headers.has('x-turn')).toBe(false);
  });

  it('may lead elsewhere, with nothing else in the answer', async () => {
    const { status, headers, body } = await at('GET /away');
    expect([status, headers.get('location'), body]).toEqual([303, '/health', '']);
  });

  it.each([
    ['/query', []],
    ['/query?', []],
    [
      '/query?a=1&a=2&b=%C3%BC+x',
      [
        ['a', '1'],
        ['a', '2'],
        ['b', 'ü x'],
      ],
    ],
    [
      '/query?__proto__=1&a[b]=2',
      [
        ['__proto__', '1'],
        ['a[b]', '2'],
      ],
    ],
    ['/query?a=b?c=d', [['a', 'b?c=d']]],
  ])('reads the query of %s as it stands', async (path, pairs) => {
    expect(JSON.parse((await at(`GET ${path}`)).body)).toEqual(pairs);
    // The way a proxy is asked, with an address that no parser takes.
    expect(JSON.parse((await at(`GET http://x:99999${path}`)).body)).toEqual(pairs);
  });

  it.each(['//?token=SECRET', '///x?token=SECRET', '/%E0%A4%A?token=SECRET'])(
    'at %s is nowhere, and no log shows the query',
    async (path) => {
      expect((await at(`GET ${path}`)).status).toBe(404);
      expect((await send(`GET ${path}`, 'evil.com')).status).toBe(403);
      expect(unexpected).toEqual([]);
    },
  );
});
