import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { createKey } from '../../bridge/keys/keys.ts';
import { greet, open, type Client } from '../bridge/connection/connections-rig.ts';
import { sendRaw, type RawAnswer } from '../bridge/raw-socket.ts';
import { keyCommand, run, startProcess, temporaryStateDir, type BridgeProcess } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const json = { 'Content-Type': 'application/json' };

const post = (url: string, path: string, body: object): Promise<Response> =>
  fetch(url + path, { method: 'POST', headers: json, body: JSON.stringify(body) });
const prompt = (url: string) => post(url, '/api/process', { prompt: 'x' });
const stream = (url: string) =>
  post(url, '/v1/chat/completions', { stream: true, messages: [{ role: 'user', content: 'x' }] });

async function queueOf(url: string): Promise<unknown> {
  return ((await (await fetch(`${url}/api/status`)).json()) as { queue: unknown }).queue;
}

/** An extension of two lanes that does as the test says. */
async function connectExtension(url: string): Promise<Client> {
  const client = await greet(url, { lanes: 2 });
  await client.next();
  return client;
}

async function nextRequest(client: Client): Promise<string> {
  const frame = await client.next();
  if (frame.type !== 'request') throw new Error(`A ${frame.type} came instead of a request.`);
  return frame.requestId;
}

/** One request dispatched, one streaming, one queued. */
async function fill(bridge: BridgeProcess) {
  const extension = await connectExtension(bridge.url);
  const dispatched = prompt(bridge.url);
  const dispatchedId = await nextRequest(extension);
  const streaming = stream(bridge.url);
  const streamingId = await nextRequest(extension);
  extension.send({ type: 'started', requestId: streamingId });
  extension.send({ type: 'chunk', requestId: streamingId, seq: 0, parts: [{ type: 'text', text: 'begun ' }] });
  const streamed = (await streaming).text();
  const queued = prompt(bridge.url);
  await expect.poll(() => queueOf(bridge.url)).toEqual({ queued: 1, running: 2 });
  return { extension, dispatched, dispatchedId, streamed, streamingId, queued };
}

const end = { type: 'end', finishReason: 'stop', model: null, usage: null } as const;

async function expectTurnedAway(asked: Promise<Response>, code: unknown): Promise<void> {
  const answer = await asked;
  expect(answer.status).toBe(503);
  expect([answer.headers.get('x-should-retry'), Number(answer.headers.get('retry-after')) > 0]).toEqual(['true', true]);
  expect(await answer.json()).toMatchObject(code as object);
}

describe('a bridge that is told to stop', () => {
  it('O1 looks at an answer with a key to the end although its caller has gone', async () => {
    const bridge = await startProcess();
    const extension = await connectExtension(bridge.url);
    const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
    const request = {
      method: 'POST',
      headers: { ...json, 'Idempotency-Key': 'k' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'x' }],
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
      }),
    };
    const caller = new AbortController();
    const asked = fetch(`${bridge.url}/v1/chat/completions`, { ...request, signal: caller.signal });
    const requestId = await nextRequest(extension);
    caller.abort();
    await expect(asked).rejects.toThrow('aborted');
    await fetch(`${bridge.url}/health`);
    bridge.child.kill('SIGTERM');
    await expect.poll(() => bridge.stdout()).toContain('Running calls may finish');
    extension.send({ ...end, requestId, seq: 0, parts: [{ type: 'text', text: '{"a":1}' }] });
    expect(await bridge.ended).toEqual([0, null]);

    const again = await startProcess({ stateDir: bridge.stateDir });
    const answer = await fetch(`${again.url}/v1/chat/completions`, request);
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { choices: [{ message: { content: '{"a":1}' } }] },
    ]);
  });

  it('O1 turns away what is new or waits, lets what runs finish, and ends with 0', async () => {
    const bridge = await startProcess();
    const { extension, dispatched, dispatchedId, streamed, streamingId, queued } = await fill(bridge);
    const follower = await fetch(`${bridge.url}/api/status`, { headers: { Accept: 'text/event-stream' } });
    bridge.child.kill('SIGTERM');

    await expectTurnedAway(queued, { code: 'shutting_down' });
    await expectTurnedAway(prompt(bridge.url), { code: 'shutting_down' });
    await expectTurnedAway(stream(bridge.url), { error: { code: 'shutting_down' } });
    await follower.text();
    await expect(open(bridge.url)).rejects.toThrow('503');
    expect(bridge.stdout()).toContain('Running calls may finish within 30 s');
    expect((await fetch(`${bridge.url}/health`)).status).toBe(200);

    extension.send({ type: 'chunk', requestId: dispatchedId, seq: 0, parts: [{ type: 'text', text: 'whole' }] });
    extension.send({ ...end, requestId: dispatchedId, seq: 1 });
    expect(await (await dispatched).json()).toMatchObject({ status: 'success', result: 'whole' });
    extension.send({ type: 'chunk', requestId: streamingId, seq: 1, parts: [{ type: 'text', text: 'and done' }] });
    extension.send({ ...end, requestId: streamingId, seq: 2 });
    expect(await streamed).toMatch(/begun [^]*and done[^]*data: \[DONE\]/);
    expect(await extension.closed).toMatchObject({ code: 1001 });
    expect(await bridge.ended).toEqual([0, null]);
    await expect(fetch(`${bridge.url}/health`)).rejects.toThrow('fetch failed');
  });

  it('O1 ends what takes longer than it may, says that it may have been billed, and ends with 0', async () => {
    const bridge = await startProcess({ args: ['--drain', '1'] });
    const { extension, dispatched, streamed } = await fill(bridge);
    bridge.child.kill('SIGTERM');
    const answer = await dispatched;
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([502, 'false']);
    expect(await answer.json()).toMatchObject({ code: 'bridge_shutdown' });
    const text = await streamed;
    expect(text).toContain('bridge_shutdown');
    expect(text).not.toContain('[DONE]');
    expect(await extension.closed).toMatchObject({ code: 1001 });
    expect(await bridge.ended).toEqual([0, null]);
  });

  it.each([
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
  ] as const)('O3 by %s ends at once with a second signal, %s', async (first, second, code) => {
    const bridge = await startProcess();
    const { dispatched, streamed } = await fill(bridge);
    const cut = Promise.allSettled([dispatched, streamed]);
    bridge.child.kill(first);
    await expect.poll(bridge.stdout).toContain('Running calls may finish');
    // The same signal within an eye's blink is one that npm handed on.
    const again = setInterval(() => bridge.child.kill(second), 50);
    onTestFinished(() => clearInterval(again));
    expect(await bridge.ended).toEqual([code, null]);
    expect(await cut).toMatchObject([{ reason: { message: 'fetch failed' } }, { reason: { message: 'terminated' } }]);
  });

  it('O7 closes sockets that were upgraded, also those that say nothing and do not let go', async () => {
    const bridge = await startProcess();
    const socket = connect(bridge.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    const head = [
      'GET /ws HTTP/1.1',
      `Host: 127.0.0.1:${bridge.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      'Sec-WebSocket-Protocol: puter-bridge.v2',
      `Origin: ${extensionOrigin}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('101 Switching Protocols');
    const extension = await connectExtension(bridge.url);
    bridge.child.kill('SIGTERM');
    expect(await extension.closed).toMatchObject({ code: 1001 });
    expect(await bridge.ended).toEqual([0, null]);
  });
});

const lan = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe('the address', () => {
  it('O4 beyond this machine is refused unless a variable, a key and the names say that it shall', async () => {
    const stateDir = await temporaryStateDir();
    const variable = { PUTER_BRIDGE_DANGEROUSLY_BIND_ALL: '1' };
    const names = ['--allowed-host', 'bridge.example'];
    const refused = async (env: Record<string, string>, ...args: string[]) => {
      const started = run(['--port', '0', '--state-dir', stateDir, ...args], env);
      expect(await started.ended).toEqual([2, null]);
      expect(started.stdout()).toBe('');
      return started.stderr();
    };
    for (const host of ['0.0.0.0', '::', '192.0.2.1', '::ffff:0.0.0.0']) {
      const words = await refused({}, '--host', host);
      for (const part of ['PUTER_BRIDGE_DANGEROUSLY_BIND_ALL=1', 'key create', '--allowed-host'])
        expect(words).toContain(part);
    }
    expect(await refused(variable, '--host', '0.0.0.0', ...names)).toContain('key create');
    createKey(stateDir, 'laptop', new Date());
    expect(await refused({}, '--host', '0.0.0.0', ...names)).toContain('BIND_ALL');
    expect(await refused(variable, '--host', '0.0.0.0')).toContain('--allowed-host');
    expect(await refused({ PUTER_BRIDGE_DANGEROUSLY_BIND_ALL: 'true' }, '--host', '::', ...names)).toContain(
      'BIND_ALL',
    );
    keyCommand(stateDir, 'revoke', 'laptop');
    expect(await refused(variable, '--host', '0.0.0.0', ...names)).toContain('key create');
  });

  it('O4 A17 beyond this machine is warned of, and Host, key and extension are checked as ever', async () => {
    const stateDir = await temporaryStateDir();
    const key = createKey(stateDir, 'laptop', new Date());
    const bridge = await startProcess({
      stateDir,
      args: ['--host', '0.0.0.0', '--allowed-host', 'bridge.example,192.168.1.5'],
      env: { PUTER_BRIDGE_DANGEROUSLY_BIND_ALL: '1' },
    });
    await expect.poll(bridge.stderr).toContain('WARNING: OTHER MACHINES CAN REACH THIS BRIDGE');
    const get = async (host: string, address: string | undefined, ...headers: string[]) => {
      const lines = ['GET /api/status HTTP/1.1', `Host: ${host}`, ...headers];
      return (await sendRaw(bridge.port, lines, '', address)).status;
    };
    const handshakes: (() => Promise<RawAnswer>)[] = [];
    for (const address of [undefined, ...(lan === undefined ? [] : [lan])]) {
      for (const host of ['evil.com', '0.0.0.0', `0.0.0.0:${bridge.port}`, 'x.bridge.example', '192.168.1.50'])
        expect([host, await get(host, address, `x-api-key: ${key}`)]).toEqual([host, 403]);
      for (const host of ['bridge.example', `bridge.example:${bridge.port}`, 'BRIDGE.example', '192.168.1.5']) {
        expect([host, await get(host, address)]).toEqual([host, 401]);
        expect([host, await get(host, address, `x-api-key: ${key}`)]).toEqual([host, 200]);
      }
      const upgrade = ['GET /ws HTTP/1.1', 'Host: bridge.example', 'Connection: Upgrade', 'Upgrade: websocket'];
      const handshake = [...upgrade, 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${'A'.repeat(22)}==`];
      const asExtension = [...handshake, 'Sec-WebSocket-Protocol: puter-bridge.v2', `Origin: ${extensionOrigin}`];
      handshakes.push(() => sendRaw(bridge.port, asExtension, '', address));
    }
    // Whoever else sends its Origin, and would be handed the prompts: not from another machine.
    for (const shake of handshakes.slice(1)) expect((await shake()).status).toBe(403);
    const extension = await connectExtension(bridge.url);
    extension.socket.terminate();
  });

  it.runIf(lan !== undefined)('O5 is this machine’s alone: from the network, nobody is there', async () => {
    const bridge = await startProcess();
    await expect(sendRaw(bridge.port, ['GET /health HTTP/1.1'], '', lan)).rejects.toThrow('ECONNREFUSED');
    const loopback = await startProcess({ args: ['--host', '::1'] });
    expect(loopback.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${loopback.url}/health`)).status).toBe(200);
  });

  it('O6 that is taken is named, with the program that has it, and no other is taken', async () => {
    const first = await startProcess();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    for (const [taken, pid] of [
      [first.port, first.child.pid],
      [port, process.pid],
    ]) {
      const second = run(['--port', `${taken}`, '--state-dir', await temporaryStateDir()]);
      expect(await second.ended).toEqual([3, null]);
      expect(second.stdout()).toBe('');
      expect(second.stderr()).toContain(`Port ${taken} is taken by `);
      expect(second.stderr()).toContain(process.platform === 'linux' ? `, process ${pid}.` : 'Stop that program');
    }
    expect((await fetch(`${first.url}/health`)).status).toBe(200);
  });
});

describe('the state folder', () => {
  async function refusal(stateDir: string): Promise<string> {
    // The command line of the keys is as careful.
    const [bridge, command] = [
      run(['--port', '0', '--state-dir', stateDir]),
      run(['key', 'create', 'x', '--state-dir', stateDir]),
    ];
    expect([await bridge.ended, await command.ended]).toEqual([
      [2, null],
      [2, null],
    ]);
    expect(bridge.stdout() + command.stdout()).toBe('');
    expect(command.stderr()).toBe(bridge.stderr());
    return bridge.stderr();
  }

  it.each([0o755, 0o777, 0o750, 0o701])(
    'O9 that others may open (%o) is refused, with the line that mends it',
    async (mode) => {
      const stateDir = await temporaryStateDir();
      chmodSync(stateDir, mode);
      expect(await refusal(stateDir)).toContain(`chmod 700 '${stateDir}'`);
    },
  );

  it.each([0o644, 0o666, 0o640, 0o602])('O9 with keys that others may open (%o) is refused, too', async (mode) => {
    const stateDir = await temporaryStateDir();
    createKey(stateDir, 'laptop', new Date());
    const path = join(stateDir, 'keys.json');
    chmodSync(path, mode);
    expect(await refusal(stateDir)).toContain(`chmod 600 '${path}'`);
  });

  it('O9 is not reached by a link, and neither are the keys', async () => {
    const parent = await temporaryStateDir();
    const [real, link] = [join(parent, 'real'), join(parent, 'link')];
    mkdirSync(real, { mode: 0o700 });
    symlinkSync(real, link);
    expect(await refusal(link)).toContain('not a link');
    createKey(real, 'laptop', new Date());
    renameSync(join(real, 'keys.json'), join(parent, 'keys.json'));
    symlinkSync(join(parent, 'keys.json'), join(real, 'keys.json'));
    expect(await refusal(real)).toContain('not a link');
    symlinkSync(join(parent, 'nowhere'), join(parent, 'keys.json.lost'));
    renameSync(join(parent, 'keys.json.lost'), join(real, 'keys.json'));
    expect(await refusal(real)).toContain('not a link');
  });

  it.runIf(process.getuid?.() === 0)('O9 of another user is refused', async () => {
    const stateDir = await temporaryStateDir();
    createKey(stateDir, 'laptop', new Date());
    chownSync(join(stateDir, 'keys.json'), 12_345, 12_345);
    expect(await refusal(stateDir)).toContain('belongs to another user');
    chownSync(stateDir, 12_345, 12_345);
    expect(await refusal(stateDir)).toContain('belongs to another user');
  });

  it('O9 O16 that the bridge makes is for one person alone, and root is told that it need not be root', async () => {
    const stateDir = join(await temporaryStateDir(), 'a', 'b');
    const bridge = await startProcess({ stateDir });
    createKey(stateDir, 'laptop', new Date());
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, 'keys.json')).mode & 0o777).toBe(0o600);
    const isRoot = process.getuid?.() === 0 && !existsSync('/.dockerenv') && !existsSync('/run/.containerenv');
    await expect.poll(() => bridge.stderr().split('running as root').length).toBe(isRoot ? 2 : 1);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"keys":[{"name":"x"}]}',
    '{"keys":[],"more":1}',
    '{"keys":[{"name":"a","key":"pb_secret"}]}',
  ])('O10 with %j for keys is refused: it never falls back to none', async (text) => {
    const stateDir = await temporaryStateDir();
    writeFileSync(join(stateDir, 'keys.json'), text, { mode: 0o600 });
    const words = await refusal(stateDir);
    expect(words).toContain(join(stateDir, 'keys.json'));
    expect(words).not.toContain('pb_secret');
  });
});

it('O12 that a bridge uses is no other’s: the second one says so and ends, the first goes on', async () => {
  const first = await startProcess();
  const second = run(['--port', '0', '--state-dir', first.stateDir]);
  expect(await second.ended).toEqual([3, null]);
  expect(second.stdout()).toBe('');
  expect(second.stderr()).toContain(
    `Another bridge uses the state folder ${first.stateDir}. Stop it, or choose another`,
  );
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
  first.child.kill('SIGKILL');
  await first.ended;
  await startProcess({ stateDir: first.stateDir });
});

describe('what it is told at the start', () => {
  it.each([
    [['--port', '70000'], {}, 'A port is a whole number'],
    [['--host', 'localhost'], {}, 'IP address'],
    [['--allowed-host', '*'], {}, 'there is no wildcard'],
    [['--allowed-host', '0.0.0.0'], {}, 'no name as callers send it'],
    [['--drain', '-1'], {}, 'whole number'],
    [['--drain', 'soon'], {}, 'whole number'],
    [['--log-level', 'loud'], {}, 'Allowed choices are'],
    [['--state-dir', ''], {}, 'Name a folder'],
    [['--nonsense'], {}, "unknown option '--nonsense'"],
    [[], { PUTER_BRIDGE_DRAIN: 'x' }, 'PUTER_BRIDGE_DRAIN'],
    [[], { PUTER_BRIDGE_PROT: '5002' }, 'PUTER_BRIDGE_PROT'],
  ])('O10 %j with %j ends it with 2 and a word on what is wrong', async (args, env, words) => {
    const started = run(['--state-dir', await temporaryStateDir(), ...args], env);
    expect(await started.ended).toEqual([2, null]);
    expect(started.stdout()).toBe('');
    expect(started.stderr()).toContain(words);
  });

  it.each([
    ['--api-key=pb_secret'],
    ['--key', 'pb_secret'],
    ['--token=x'],
    ['--apikey', 'x'],
    ['key', 'create', 'pb_secret'],
  ])('O11 is never a key: %s %s %s', async (...args) => {
    const started = run(['--state-dir', await temporaryStateDir(), ...args.filter(Boolean)]);
    expect(await started.ended).toEqual([2, null]);
    expect(started.stderr()).toContain('a key on a command line can be read by every program');
    expect(started.stdout() + started.stderr()).not.toContain('pb_secret');
  });
});
