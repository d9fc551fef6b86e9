import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { createHttpServer } from '../../../bridge/http/server.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { parseAnswer, readToEnd } from '../raw-socket.ts';

/** What of it is not seen from outside (test/catalogue/h-parsing.test.ts): Node looks too rarely here to help. */

const limits = { ...defaultLimits, headersTimeoutMs: 200, requestTimeoutMs: 600_000, readerGraceMs: 200 };
const { server, serve } = createHttpServer(limits, () => true);
Object.assign(server, { keepAliveTimeout: 50, keepAliveTimeoutBuffer: 50 });
const open = () => connect((server.address() as AddressInfo).port, '127.0.0.1');

/** What it answers once it is told to. */
const waiting: ServerResponse[] = [];

beforeAll(async () => {
  serve((request, response) => {
    if (request.url === '/wait') waiting.push(response);
    else response.end('at once');
  });
  server.on('upgrade', (_, socket, head) => void socket.pipe(socket).write(head));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close());

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
