import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { createHttpServer } from '../../../bridge/http/server.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { parseAnswer, readToEnd } from '../raw-socket.ts';

/** What of it is not seen from outside (test/catalogue/h-parsing.test.ts): Node looks too rarely here to help. */

const { server } = createHttpServer({ ...defaultLimits, headersTimeoutMs: 200, requestTimeoutMs: 600_000 }, () => true);
const open = () => connect((server.address() as AddressInfo).port, '127.0.0.1');

beforeAll(async () => {
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
