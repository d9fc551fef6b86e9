import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { createApp } from '../../../bridge/http/app.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { sendRaw, type RawAnswer } from '../raw-socket.ts';

/** What the guards do for routes of any kind; whom they keep out, test/catalogue/ says. `P` stands for the port. */

let server: Server;
let port: number;
let handled = 0;
const unexpected: unknown[] = [];

beforeAll(async () => {
  const handle = () => ({ status: 200, body: { handled: (handled += 1) } });
  const app = createApp(
    [
      { method: 'GET', path: '/health', fromExtension: 'any', handle },
      { method: 'POST', path: '/api/process', handle },
      { method: 'GET', path: '/once', once: true, handle },
      { method: 'GET', path: '/away', handle: () => ({ status: 303, location: '/health' }) },
      { method: 'GET', path: '/query', handle: (exchange) => ({ status: 200, body: [...exchange.query()] }) },
      { method: 'GET', path: '/api/status', handle },
      { method: 'POST', path: '/api/result', fromExtension: 'known', handle },
      { method: 'GET', path: '/half', fromAllowedOrigins: true, handle },
      { method: 'POST', path: '/half', handle },
      { method: '*', path: '/family{/*rest}', handle: () => ({ status: 404, body: {} }) },
      { method: 'GET', path: '/family/member', headers: () => ({ 'x-turn': `${handled}` }), handle },
    ],
    { onUnexpected: (error) => unexpected.push(error), limits: defaultLimits, allowedOrigins: ['https://app.example'] },
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

describe('an Origin', () => {
  it('that is allowed opens no route by itself, and no path of which a part stays shut', async () => {
    const before = handled;
    for (const route of ['POST /api/process', 'GET /half', 'POST /half', 'OPTIONS /half', 'GET /family/x']) {
      const { status, headers, body } = await send(route, '127.0.0.1:P', 'Origin: https://app.example');
      expect([status, JSON.parse(body)]).toMatchObject([403, { code: 'origin_not_allowed', request_id: null }]);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
    expect(handled).toBe(before);
  });

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
  });

  it('that is nowhere is no accident, and no log shows the query', async () => {
    expect((await at('GET /%E0%A4%A?x=SECRET')).status).toBe(404);
    expect((await send('GET /%E0%A4%A?x=SECRET', 'evil.com')).status).toBe(403);
    expect(unexpected).toEqual([]);
  });
});
