import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { createHttpServer } from '../../../bridge/http/server.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { parseAnswer, readToEnd } from '../raw-socket.ts';

/** What of it is not seen from outside (test/catalogue/h-parsing.test.ts): Node looks too rarely here to help. */

const limits = { ...defaultLimits, headersTimeoutMs: 200, requestTimeoutMs: 600_000, readerGraceMs: 200 };
const own = createHttpServer(limits, () => true);
const { server } = own;
Object.assign(server, { keepAliveTimeout: 50, keepAliveTimeoutBuffer: 50 });
/** Looks often enough to find what does not come to its end. */
const watchful = createHttpServer({ ...limits, requestTimeoutMs: 300 }, () => true);
const open = (to = server) => connect((to.address() as AddressInfo).port, '127.0.0.1');

/** What it answers once it is told to. */
let waiting: ServerResponse[] = [];

beforeAll(async () => {
  for (const it of [own, watchful]) {
    it.serve((request, response) => {
      if (request.url === '/begin') response.write('begun ');
      if (request.url === '/') response.end('at once');
      else waiting.push(response);
    });
    await once(it.server.listen(0, '127.0.0.1'), 'listening');
  }
  server.on('upgrade', (_, socket, head) => void socket.pipe(socket).write(head));
});
beforeEach(() => void (waiting = []));
afterAll(() => [server, watchful.server].map((it) => it.close()));

it('gives up the first head of a socket on time, and no socket that is another protocol’s by then', async () => {
  const upgraded = open();
  upgraded.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nHello');
  await once(upgraded, 'data');
  expect(parseAnswer(await readToEnd(open())).status).toBe(408);
  upgraded.write('again');
  expect(String(await once(upgraded, 'data'))).toBe('again');
  upgraded.destroy();
});

it.each([
  ['', ''],
  [', also where the body of the last request never came', 'Content-Length: 10\r\n'],
])('closes a socket that nobody uses any more%s', async (_, headers) => {
  const socket = open();
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  expect(parseAnswer(await readToEnd(socket))).toMatchObject({ status: 200, body: 'at once' });
});

it('keeps a socket whose answer takes longer than a reader may', async () => {
  const socket = open();
  socket.write('GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await expect.poll(() => waiting.length).toBe(1);
  const timeout = once(waiting[0]!.req.socket, 'timeout');
  await timeout;
  waiting[0]!.end('late');
  expect(parseAnswer(await readToEnd(socket))).toMatchObject({ status: 200, body: 'late' });
});

it.each([
  ['/wait', 'late'],
  ['/begin', '6\r\nbegun \r\n4\r\nlate'],
])('answers %s, and nothing more of a socket, where the next head comes too late', async (path, body) => {
  const socket = open(watchful.server);
  const tooLate = once(watchful.server, 'clientError');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n`);
  await tooLate;
  const next = once(watchful.server, 'request');
  socket.write('Host: x\r\n\r\n');
  await next;
  waiting[0]!.end('late');
  const answer = parseAnswer(await readToEnd(socket));
  expect([answer.status, answer.body]).toEqual([200, expect.stringContaining(body)]);
  expect(answer.body).not.toContain('at once');
});
