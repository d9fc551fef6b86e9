import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { listenOnSocket } from '../../bridge/http/local-socket.ts';
import { createKey } from '../../bridge/keys/keys.ts';
import { upgradeLines } from '../bridge/connection/connections-rig.ts';
import { parseAnswer, readToEnd } from '../bridge/raw-socket.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { run, startProcess, temporaryStateDir } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request by the Unix socket `file`. */
async function ask(file: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const asked = request({
    socketPath: file,
    path,
    method: body ? 'POST' : 'GET',
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...headers },
  });
  asked.end(body && JSON.stringify(body));
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & Omit<Answer, 'body'>];
  const { statusCode: status, headers: got } = response as unknown as {
    statusCode: number;
    headers: Answer['headers'];
  };
  return { status, headers: got, body: await text(response) };
}

/** A bridge with a Unix socket and an extension. */
async function start(stateDir?: string) {
  const folder = stateDir ?? (await temporaryStateDir());
  const file = join(folder, 'run', 'bridge.sock');
  const bridge = await startProcess({ stateDir: folder, args: ['--socket', file] });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  return { bridge, extension, file };
}

describe('a Unix socket', () => {
  it('O15 leads to what the port leads to, whole and streamed, and is gone with the bridge', async () => {
    const { bridge, file } = await start();
    expect(bridge.stdout()).toContain(file);
    expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
    const whole = await ask(file, '/api/process', { prompt: 'Say hello', model: 'echo' });
    expect([whole.status, JSON.parse(whole.body)]).toMatchObject([
      200,
      { status: 'success', result: 'You said: Say hello' },
    ]);
    const messages = [{ role: 'user', content: 'Say hello' }];
    const streamed = await ask(file, '/v1/chat/completions', { model: 'echo', messages, stream: true });
    expect(streamed.body).toContain('data: [DONE]');
    expect(JSON.parse((await ask(file, '/api/status')).body)).toMatchObject({ queue: { queued: 0, running: 0 } });
    expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
    await expect.poll(bridge.stderr).toContain('"route":"/api/process","status":200');

    const idle = connect(file);
    onTestFinished(() => void idle.destroy());
    await once(idle, 'connect');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual([0, null]);
    expect(existsSync(file)).toBe(false);
  });

  it('O15 has the same guards: Host, Origin, keys and limits; and it takes no extension', async () => {
    const { bridge, extension, file } = await start();
    const status = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;
    for (const host of ['localhost', '127.0.0.1', 'LOCALHOST'])
      expect([host, await status(file, '/health', undefined, { Host: host })]).toEqual([host, 200]);
    for (const host of ['evil.com', 'localhost:undefined', 'localhost.evil.com', 'localhost:5001'])
      expect([host, await status(file, '/health', undefined, { Host: host })]).toEqual([host, 403]);
    for (const origin of ['https://evil.com', 'http://localhost', 'http://localhost:undefined', 'null'])
      expect([origin, await status(file, '/api/process', { prompt: 'x' }, { Origin: origin })]).toEqual([origin, 403]);
    expect(await status(file, '/health', undefined, { 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await status(file, '/api/process', { prompt: 'x' }, { 'Content-Type': 'text/plain' })).toBe(415);
    expect(await status(file, '/api/status?token=x')).toBe(400);

    const socket = connect(file);
    const lines = upgradeLines([]).map((line) => line.replace('127.0.0.1:P', 'localhost'));
    socket.write(`${['GET /ws HTTP/1.1', 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`);
    expect(parseAnswer(await readToEnd(socket))).toMatchObject({
      status: 403,
      body: expect.stringContaining('not_the_extension') as string,
    });

    const key = createKey(bridge.stateDir, 'laptop', new Date());
    await expect.poll(() => status(file, '/api/status')).toBe(401);
    expect(await status(file, '/api/process', { prompt: 'x', model: 'echo' })).toBe(401);
    expect(await status(file, '/api/process', { prompt: 'x', model: 'echo' }, { 'x-api-key': key })).toBe(200);
    expect(extension.calls).toHaveLength(1);
  });

  it('O15 that a killed bridge left behind is in nobody’s way; one that is in use is not taken', async () => {
    const stateDir = await temporaryStateDir();
    const { bridge, file } = await start(stateDir);
    const other = run(['--port', '0', '--state-dir', await temporaryStateDir(), '--socket', file]);
    expect(await other.ended).toEqual([3, null]);
    expect(other.stderr()).toContain(`Another program listens on ${file}`);
    expect((await ask(file, '/health')).status).toBe(200);

    bridge.child.kill('SIGKILL');
    await bridge.ended;
    expect(existsSync(file)).toBe(true);
    const again = await start(stateDir);
    expect((await ask(again.file, '/health')).status).toBe(200);
  });

  it('O15 is not taken from a program that is too busy to let anybody in', async () => {
    const folder = await temporaryStateDir();
    const file = join(folder, 'x.sock');
    const busy = createServer();
    onTestFinished(() => void busy.close());
    await once(busy.listen({ path: file, backlog: 1 }), 'listening');
    // All in one turn, in which it accepts nobody.
    const callers = Array.from({ length: 5 }, () => connect(file).on('error', () => {}));
    const listening = listenOnSocket(file, { take() {}, maxConnections: 1 });
    onTestFinished(() => callers.forEach((caller) => caller.destroy()));
    await expect(listening).rejects.toThrow('Another program listens');
    expect(existsSync(file)).toBe(true);
  });

  it('O15 is refused where others have a way in, where a file is, and where the path is too long', async () => {
    const folder = await temporaryStateDir();
    const [open, full] = [join(folder, 'open'), join(folder, 'full')];
    for (const it of [open, full]) mkdirSync(it, { mode: 0o700 });
    chmodSync(open, 0o755);
    writeFileSync(join(full, 'file'), 'precious');
    for (const [file, words] of [
      [join(open, 'x.sock'), `Other users can open ${open}`],
      [join(full, 'file'), 'no socket'],
      [join(full, 'x'.repeat(120)), 'short path'],
    ] as const) {
      const started = run(['--port', '0', '--state-dir', await temporaryStateDir(), '--socket', file]);
      expect(await started.ended).toEqual([2, null]);
      expect(started.stderr()).toContain(words);
      expect(started.stdout()).toBe('');
    }
    expect(statSync(join(full, 'file')).size).toBe('precious'.length);
    await expect(
      listenOnSocket(join(full, 'x.sock'), { take() {}, maxConnections: 1, platform: 'win32' }),
    ).rejects.toThrow('without --socket');
  });

  it.runIf(process.getuid?.() === 0)('O15 is closed to other users of the machine', async () => {
    const { file } = await start();
    const probe = `require('node:net').connect(${JSON.stringify(file)}).on('error', (error) => console.log(error.code))`;
    const child = spawn(process.execPath, ['-e', probe], { uid: 65_534, gid: 65_534, cwd: '/' });
    expect((await text(child.stdout)).trim()).toBe('EACCES');
  });
});
