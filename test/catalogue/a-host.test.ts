import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';

import { createApp } from '../../bridge/http/app.ts';
import { defaultLimits } from '../../bridge/limits.ts';
import { open, upgradeLines } from '../bridge/connection/connections-rig.ts';
import { readToEnd, sendBytes, sendRaw } from '../bridge/raw-socket.ts';
import { canary, refusalOf, useBridge } from './bridge-rig.ts';

/** Host and request target, against DNS rebinding. */

const rig = useBridge();

const routes = ['GET /health', 'GET /', 'GET /api/status', 'GET /nothing', 'GET /v1/models', 'POST /api/process'];

/** The row of each Host that is not ours. */
const foreign: [string, string][] = [
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
];
const notAllowed = { status: 403, code: 'host_not_allowed' };

it.each(['127.0.0.1:P', 'localhost:P', 'LOCALHOST:P', '[::1]:P', '127.0.0.1', 'localhost'])(
  'A1 the Host %s is ours',
  async (host) => {
    expect((await rig.g0([`Host: ${host}`])).status).toBe(200);
  },
);

it.each(foreign)('%s the Host “%s” is refused at every route', async (_, host) => {
  for (const route of routes) expect(refusalOf(await rig.send(route, [`Host: ${host}`]))).toEqual(notAllowed);
});

it.each(foreign)('A18 %s the Host “%s” gets no socket', async (_, host) => {
  expect(refusalOf(await rig.w0([`Host: ${host}`]))).toEqual(notAllowed);
});

it('A2 not even the extension, a preflight or a page of ours comes under another Host', async () => {
  for (const origin of [extensionOrigin, 'http://127.0.0.1:P'])
    for (const startLine of ['GET /health', 'OPTIONS /api/result'])
      expect(refusalOf(await rig.send(startLine, ['Host: evil.com', `Origin: ${origin}`]))).toEqual(notAllowed);
});

it('A2 a refusal does not repeat the Host', async () => {
  expect((await rig.g0([`Host: ${canary}.example`])).status).toBe(403);
});

describe('one Host', () => {
  const invalid = { status: 400, code: 'invalid_host' };
  const good = 'Host: 127.0.0.1:P';

  it('A11 is needed, also in HTTP/1.0', async () => {
    for (const version of ['1.0', '1.1']) {
      const answer = await sendBytes(rig.port, `GET /health HTTP/${version}\r\nConnection: close\r\n\r\n`);
      expect(refusalOf(answer)).toEqual(invalid);
    }
  });

  it.each([
    ['good before evil', [good, 'Host: evil.com']],
    ['evil before good', ['Host: evil.com', good]],
    ['good twice', [good, good]],
  ])('A12 is enough: %s', async (_, hosts) => {
    for (const route of routes) expect(refusalOf(await rig.send(route, hosts))).toEqual(invalid);
    expect(refusalOf(await rig.w0(hosts))).toEqual(invalid);
  });

  it('A18 A11 is needed for a socket, too', async () => {
    const answer = await sendRaw(rig.port, ['GET /ws HTTP/1.1', ...upgradeLines()]);
    expect(refusalOf(answer)).toEqual(invalid);
  });
});

const targets = [
  'http://evil.com/health',
  'http://127.0.0.1:P/health',
  '//evil.com/health',
  '//',
  '*',
  '/..\\x',
  '/x#y',
];

it.each([...targets, 'http://['])('A13 the target %s is refused', async (target) => {
  const invalid = { status: 400, code: 'invalid_request_target' };
  for (const method of ['GET', 'POST', 'OPTIONS'])
    expect(refusalOf(await rig.send(`${method} ${target.replace('P', `${rig.port}`)}`))).toEqual(invalid);
});

it.each(targets)('A18 A13 the target %s gets no socket', async (target) => {
  const invalid = { status: 400, code: 'invalid_request_target' };
  expect(refusalOf(await rig.w0([], `GET ${target.replace('health', 'ws')}`))).toEqual(invalid);
});

it('A14 what a proxy says of Host and address does not count', async () => {
  const forwarded = ['X-Forwarded-Host: evil.com', 'Forwarded: host=evil.com', 'X-Forwarded-For: 8.8.8.8'];
  expect((await rig.g0(forwarded)).status).toBe(200);
  const friendly = forwarded.map((line) => line.replace('evil.com', `127.0.0.1:${rig.port}`));
  expect(refusalOf(await rig.g0(['Host: evil.com', ...friendly]))).toEqual(notAllowed);
});

it('A15 CONNECT is closed without a word', async () => {
  const socket = connect(rig.port, '127.0.0.1');
  socket.write(`CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n`);
  expect((await readToEnd(socket)).length).toBe(0);
});

it('A17 a server that listens everywhere is as strict', async () => {
  const app = createApp([{ method: 'GET', path: '/health', handle: () => ({ status: 200, body: {} }) }], {
    limits: defaultLimits,
    onUnexpected: (error) => expect.fail(String(error)),
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const [, host] of foreign) {
    const answer = await sendRaw(port, ['GET /health HTTP/1.1', `Host: ${host.replaceAll(':P', `:${port}`)}`]);
    expect(refusalOf(answer)).toEqual(notAllowed);
  }
});

it('A18 the socket opens where nothing of this is wrong', async () => {
  const { socket } = await open(rig.bridge.url);
  expect(socket.readyState).toBe(WebSocket.OPEN);
  socket.close();
});
