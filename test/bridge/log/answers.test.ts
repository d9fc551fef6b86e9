import { connect } from 'node:net';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { startBridge, type Bridge } from '../../../bridge/bridge.ts';
import { defaults } from '../../../bridge/config.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import { createLog } from '../../../bridge/log/log.ts';
import { startFakeExtension, type FakeExtension } from '../../contract/fake-extension.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../temporary-folder.ts';
import { upgradeLines } from '../connection/connections-rig.ts';
import { sendBytes, sendRaw } from '../raw-socket.ts';

/** What becomes of requests that have no answer, or no exchange. All else is seen at the process (p-logs.test.ts). */

let folder: TemporaryFolder;
let bridge: Bridge;
let extension: FakeExtension;
let lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  folder = await createTemporaryFolder('state');
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLog({ level: 'info', isTerminal: false, destination: { write } });
  const limits = { ...defaultLimits, headersTimeoutMs: 300, requestTimeoutMs: 600 };
  const config = { ...defaults, port: 0, stateDir: folder.dir, limits };
  bridge = await startBridge(config, { log, onUnexpected: (err) => log.error({ err }, 'unexpected') });
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
});
beforeEach(() => void (lines = []));
afterAll(async () => {
  extension.close();
  await bridge.close();
  await folder.remove();
});

const port = () => Number(new URL(bridge.url).port);
const headOf = (...headers: string[]): string =>
  [
    'POST /api/process HTTP/1.1',
    `Host: 127.0.0.1:${port()}`,
    'Content-Type: application/json',
    ...headers,
    '',
    '',
  ].join('\r\n');
const withBody = (body: string): string => headOf(`Content-Length: ${body.length}`) + body;

const answered = () => lines.filter(({ msg }) => msg === 'answered');
/** Lines come once sockets are closed. */
const soon = { timeout: 5000 };
const line = (facts: object) => expect.objectContaining({ level: 'info', msg: 'answered', ...facts }) as object;

it('tells why an extension was turned away', async () => {
  const head = ['GET /ws HTTP/1.1', `Host: 127.0.0.1:${port()}`];
  await sendRaw(port(), [...head, ...upgradeLines(['Origin: https://evil.example', 'User-Agent: Fake/1'])]);
  await sendRaw(port(), [...head, ...upgradeLines(['Sec-WebSocket-Version: 12'])]);
  await sendRaw(port(), ['GET /secret HTTP/1.1', head[1] ?? '', ...upgradeLines()]);
  const refusal = { method: 'GET', route: '/ws', request_id: null, scope: '127.0.0.1 -' };
  await expect
    .poll(answered, soon)
    .toEqual([
      line({ ...refusal, status: 403, code: 'origin_not_allowed', scope: '127.0.0.1 Fake/1' }),
      line({ ...refusal, status: 400, code: 'bad_upgrade' }),
      line({ ...refusal, status: 404, code: 'not_found', route: null }),
    ]);
});

it('tells of what is no HTTP, or comes too late, once, and by its route where that is known', async () => {
  // One that asks for nothing is none of them.
  await sendBytes(port(), '');
  await sendBytes(port(), 'nonsense\r\n\r\n');
  await sendBytes(port(), headOf('Transfer-Encoding: chunked'), 'nonsense\r\n');
  await sendBytes(port(), 'GET /health HTTP/1.1\r\n');
  await sendBytes(port(), headOf('Content-Length: 10'), '{');
  await sendBytes(port(), headOf('Expect: cake', 'Content-Length: 0'));
  const [unknown, known] = [
    { route: null, scope: '127.0.0.1 -' },
    { method: 'POST', route: '/api/process', scope: '127.0.0.1 -', ms: expect.any(Number) as number },
  ];
  await expect
    .poll(answered, soon)
    .toEqual([
      line({ ...unknown, status: 400, code: 'bad_http' }),
      line({ ...known, status: 400, code: 'bad_http' }),
      line({ ...unknown, status: 408, code: 'bad_http' }),
      line({ ...known, status: 408, code: 'bad_http' }),
      line({ method: 'POST', route: null, status: 417 }),
    ]);
});

it('gives no status to what had no answer', async () => {
  const socket = connect(port(), '127.0.0.1');
  // The second one has its answer, which waits for that of the first.
  for (const model of ['hang', 'echo']) socket.write(withBody(`{"prompt":"x","model":"${model}"}`));
  await expect
    .poll(() => extension.calls.map(({ model, status }) => [model, status]), soon)
    .toEqual([
      ['hang', 'running'],
      ['echo', 'finished'],
    ]);
  await expect.poll(() => bridge.status.read().queue, soon).toEqual({ queued: 0, running: 1 });
  socket.destroy();
  const cut = line({ method: 'POST', route: '/api/process', status: null, cut: true, bytes: 0 });
  await expect.poll(answered, soon).toEqual([cut, cut]);
});

it.each([
  ['sockets that are refused', () => Array.from({ length: 40 }, () => sendBytes(port(), 'nonsense\r\n\r\n'))],
  ['requests behind the last one of a socket', () => [sendBytes(port(), headOf('Expect: cake').repeat(40))]],
] as const)('writes no line for each of many %s', async (_, send) => {
  await Promise.all(send());
  const suppressed = () => lines.reduce((sum, it) => sum + Number(it['suppressed'] ?? 0), 0);
  await expect.poll(() => answered().length + suppressed(), soon).toBe(40);
  expect(suppressed()).toBeGreaterThan(0);
});
