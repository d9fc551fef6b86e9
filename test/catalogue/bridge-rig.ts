import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import type { Config } from '../../bridge/config.ts';
import { defaultLimits, type Limits } from '../../bridge/limits.ts';
import { upgradeLines } from '../bridge/connection/connections-rig.ts';
import { sendRaw, type RawAnswer } from '../bridge/raw-socket.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension, type FakeExtension } from '../contract/fake-extension.ts';

/** Put it wherever an attacker's or a caller's text goes: no refusal and no output may show it. */
export const canary = 'sk-canary-5bbd2f';

export interface Rig {
  readonly bridge: Bridge;
  readonly port: number;
  readonly extension: FakeExtension;
  /** One request; `:P` in its headers is the bridge's port. Without a Host of its own, with the right one. */
  send(startLine: string, headers?: readonly string[], body?: string | Buffer): Promise<RawAnswer>;
  /** A good request, changed by these headers: POST /api/process, POST /v1/chat/completions, GET /health, the socket. */
  r0(headers?: readonly string[], body?: string | Buffer): Promise<RawAnswer>;
  r1(body: string | Buffer, headers?: readonly string[]): Promise<RawAnswer>;
  g0(headers?: readonly string[]): Promise<RawAnswer>;
  w0(headers?: readonly string[], startLine?: string): Promise<RawAnswer>;
  /** What was printed during the case so far. */
  readonly output: string;
  /** A case whose calls may reach the extension says how many. */
  expectCalls(count: number): void;
}

export const json = (value: unknown): string => JSON.stringify(value);

/**
 * A real bridge on a free port with a fake extension, for the cases of one file or describe(). After every case: the
 * bridge answers, nothing unexpected happened in it, no call went out that the case did not announce, none is left
 * open, no refusal was shared with a page, no secret was shown, and all sockets are closed.
 */
export function useBridge(
  config: Partial<Omit<Config, 'limits'>> & { limits?: Partial<Limits>; withExtension?: false } = {},
): Rig {
  const { withExtension, limits, ...rest } = config;
  let bridge: Bridge;
  let extension: FakeExtension | undefined;
  let unexpected: unknown[] = [];
  let output = '';
  let refusals: RawAnswer[] = [];
  let calls = 0;
  let expected = 0;

  beforeAll(async () => {
    bridge = await startTemporaryBridge({ ...rest, limits: { ...defaultLimits, ...limits } }, (error) =>
      unexpected.push(error),
    );
    if (withExtension !== false) extension = await startFakeExtension({ bridgeUrl: bridge.url });
    standing += extension ? 2 : 0;
  });
  afterAll(async () => {
    standing -= extension ? 2 : 0;
    extension?.close();
    await bridge.close();
  });

  beforeEach(() => {
    [unexpected, output, refusals, expected] = [[], '', [], 0];
    calls = extension?.calls.length ?? 0;
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, 'write').mockImplementation((text) => Boolean((output += String(text))));
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
      vi.spyOn(console, method).mockImplementation((...values) => void (output += values.map(String).join(' ')));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    const health = await sendRaw(port(), ['GET /health HTTP/1.1', `Host: 127.0.0.1:${port()}`]);
    expect([health.status, health.body]).toEqual([200, '{"status":"ok"}']);
    expect(unexpected).toEqual([]);
    expect((extension?.calls.length ?? 0) - calls).toBe(expected);
    await expect.poll(() => bridge.status.read().queue).toEqual({ queued: 0, running: 0 });
    for (const { headers } of refusals)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(output + refusals.map(({ headers, body }) => json([...headers]) + body).join('')).not.toContain(canary);
    await expect.poll(openSockets, { timeout: 5000 }).toBeLessThanOrEqual(standing);
  });

  const port = () => Number(new URL(bridge.url).port);

  async function send(startLine: string, headers: readonly string[] = [], body: string | Buffer = '') {
    const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: 127.0.0.1:P'];
    const head = [`${startLine} HTTP/1.1`, ...host, ...headers].map((line) => line.replaceAll(':P', `:${port()}`));
    const answer = await sendRaw(port(), head, body);
    const origin = headers.find((line) => line.startsWith('Origin: '))?.slice(8) ?? '';
    const mayRead = [extensionOrigin, ...(config.allowedOrigins ?? [])].includes(origin);
    if (!(answer.status < 400) && !mayRead) refusals.push(answer);
    return answer;
  }
  const post = (path: string, headers: readonly string[], body: string | Buffer) =>
    send(
      `POST ${path}`,
      ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...headers],
      body,
    );

  return {
    get bridge() {
      return bridge;
    },
    get port() {
      return port();
    },
    get extension() {
      if (!extension) throw new Error('This case has no extension.');
      return extension;
    },
    get output() {
      return output;
    },
    send,
    r0: (headers = [], body = json({ prompt: 'hi', model: 'echo' })) => post('/api/process', headers, body),
    r1: (body, headers = []) => post('/v1/chat/completions', headers, body),
    g0: (headers = []) => send('GET /health', headers),
    w0: (headers = [], startLine = 'GET /ws') => send(startLine, upgradeLines(headers)),
    expectCalls: (count) => void (expected = count),
  };
}

/** Both ends of the sockets between bridges and extensions of all rigs that are up now. */
let standing = 0;

export const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

/**
 * How long the processor works at it, in milliseconds: what it takes on a machine that does nothing else, of which a
 * busy one gives only its share. The best of three tries, for what the runtime itself does now and then.
 */
export async function workOf(run: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    const start = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
}

/** What a refusal says, in either shape. */
export function refusalOf({ status, body }: RawAnswer): { status: number; code: unknown; param?: unknown } {
  const parsed = JSON.parse(body) as Record<string, unknown>;
  const { code, param } = (typeof parsed['error'] === 'object' ? parsed['error'] : parsed) as Record<string, unknown>;
  return { status, code, ...(param !== undefined && param !== null && { param }) };
}
