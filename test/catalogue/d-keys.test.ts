import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import { createKey, findKey, readKeys, revokeKey } from '../../bridge/keys/keys.ts';
import { sendRaw, type RawAnswer } from '../bridge/raw-socket.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension, type FakeExtension } from '../contract/fake-extension.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';
import { keyCommand, run, startProcess, temporaryStateDir } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** A bridge with two keys, and an extension that holds neither. */

const page = 'http://localhost:3000';

let folder: TemporaryFolder;
let bridge: Bridge;
let extension: FakeExtension;
let key: string;
let otherKey: string;
beforeAll(async () => {
  folder = await createTemporaryFolder('state');
  key = createKey(folder.dir, 'laptop', new Date());
  otherKey = createKey(folder.dir, 'other', new Date());
  bridge = await startTemporaryBridge({ stateDir: folder.dir, allowedOrigins: [page] });
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
});
afterAll(async () => {
  extension?.close();
  await bridge?.close();
  await folder?.remove();
});

const portOf = ({ url }: { url: string }) => Number(new URL(url).port);

async function send(startLine: string, headers: readonly string[] = [], body = '', at = bridge): Promise<RawAnswer> {
  const before = extension?.calls.length;
  const json = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${startLine} HTTP/1.1`, `Host: 127.0.0.1:${portOf(at)}`, ...json, ...headers];
  const answer = await sendRaw(portOf(at), head, body);
  const health = await sendRaw(portOf(at), ['GET /health HTTP/1.1', `Host: 127.0.0.1:${portOf(at)}`]);
  expect(health.status).toBe(200);
  const isRefused = answer.status >= 400;
  // What is refused reaches no model and repeats nothing of what came.
  expect(isRefused ? extension?.calls.length : before).toBe(before);
  expect(isRefused ? answer.body : '').not.toMatch(new RegExp(`${key.slice(4, 40)}|secret-content`));
  return answer;
}

const r0 = (...headers: string[]) => send('POST /api/process', headers, '{"prompt":"secret-content"}');
const r1 = (...headers: string[]) =>
  send('POST /v1/chat/completions', headers, '{"messages":[{"role":"user","content":"secret-content"}]}');

const codeOf = ({ status, body }: RawAnswer) => ({ status, code: (JSON.parse(body) as { code?: string }).code });
const missing = { status: 401, code: 'missing_api_key' };
const invalid = { status: 401, code: 'invalid_api_key' };
const challenge = 'Bearer realm="puter-bridge"';

describe('a key', () => {
  it('D1 is asked for, in the shape of each dialect', async () => {
    for (const headers of [[], ['Authorization: Basic dTpw'], ['Authorization: Bearer'], ['x-api-key:']]) {
      const answer = await r0(...headers);
      expect(codeOf(answer)).toEqual(missing);
      expect(answer.headers.get('www-authenticate')).toBe(challenge);
    }
    const { status, headers, body } = await r1();
    expect([status, headers.get('www-authenticate')]).toEqual([401, challenge]);
    expect(JSON.parse(body)).toMatchObject({ error: { type: 'authentication_error', code: 'missing_api_key' } });
    expect(headers.get('x-should-retry')).toBe('false');
  });

  it('D2 with another last character is none', async () => {
    const other = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');
    const answer = await r0(`Authorization: Bearer ${other}`);
    expect(codeOf(answer)).toEqual(invalid);
    expect(answer.headers.get('www-authenticate')).toBe(challenge);
  });

  it('D3 of another length is none', async () => {
    for (const other of [`${key}x`, key.slice(0, -1), 'x', key.repeat(20)])
      expect(codeOf(await r0(`Authorization: Bearer ${other}`))).toEqual(invalid);
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('D5 lets its holder in, as %s', async (scheme) => {
    expect((await r0(`Authorization: ${scheme} ${key}`)).status).toBe(200);
    expect((await r1(`Authorization: ${scheme} ${key}`)).status).toBe(200);
  });

  it('D6 lets its holder in as x-api-key', async () => {
    expect((await r0(`x-api-key: ${key}`)).status).toBe(200);
    expect(codeOf(await r0('x-api-key: other'))).toEqual(invalid);
  });

  it('D7 is one, though it may stand there twice', async () => {
    expect((await r0(`Authorization: Bearer ${key}`, `x-api-key: ${key}`)).status).toBe(200);
    for (const pair of [
      [key, otherKey],
      [key, 'x'],
      ['x', key],
    ])
      expect(codeOf(await r0(`Authorization: Bearer ${pair[0]}`, `x-api-key: ${pair[1]}`))).toEqual({
        status: 400,
        code: 'conflicting_credentials',
      });
  });

  it('D8 stands in one header of a kind', async () => {
    for (const line of [`Authorization: Bearer ${key}`, `x-api-key: ${key}`])
      expect(codeOf(await r0(line, line))).toEqual({ status: 400, code: 'duplicate_header' });
  });

  it('D11 is compared letter by letter', async () => {
    for (const other of [key.toUpperCase(), key.toLowerCase(), key.replace('pb_', 'рb_'), `${key}\u00a0`])
      expect(codeOf(await r0(`Authorization: Bearer ${other}`))).toEqual(invalid);
  });

  it('D20 is asked for whatever the address says', async () => {
    for (const headers of [[], ['X-Forwarded-For: 127.0.0.1', 'Forwarded: for=127.0.0.1', 'X-Real-IP: 127.0.0.1']])
      expect(codeOf(await r0(...headers))).toEqual(missing);
  });

  it('B14 is asked of pages of an allowed origin, too', async () => {
    const [asked] = [await r0(`Origin: ${page}`, 'Authorization: Bearer wrong')];
    expect(codeOf(asked)).toEqual(invalid);
    expect((await r0(`Origin: ${page}`, `Authorization: Bearer ${key}`)).status).toBe(200);
    expect(
      (await send('OPTIONS /api/process', [`Origin: ${page}`, 'Access-Control-Request-Method: POST'])).status,
    ).toBe(204);
  });
});

describe('without a key', () => {
  const open = ['/health', '/', '/style.css', '/page.css', '/icon.svg', '/auth/signed-in'];
  /** The pages after a sign-in, and what was not built where nothing is built. */
  const others = ['/auth/failed', '/page.js'];
  /** These check a secret of their own: the extension's, and that of a sign-in that was begun. */
  const secret = ['/api/result', '/auth/callback'];

  function expectedOf(method: string, path: string): readonly number[] {
    if (method === 'OPTIONS') return [403];
    if (open.includes(path)) return ['GET', 'HEAD'].includes(method) ? [200] : [405];
    if (others.includes(path)) return ['GET', 'HEAD'].includes(method) ? [200, 400, 404] : [405];
    return secret.includes(path) ? [303, 403, 405] : [401];
  }

  it('D12 nothing answers but what tells nothing, whatever the method', async () => {
    const paths = [...new Set(bridge.routes.map(({ path }) => path))];
    expect(paths).toEqual(expect.arrayContaining([...open, ...others, ...secret]));
    const urls = paths.map((path) => [path, path.replace('{/*rest}', '/x').replace(/[:*]\w+/, 'x')] as const);
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])
      for (const [path, url] of [...urls, ['nowhere', '/nothing'], ['nowhere', '/v1/nothing'], ['nowhere', '/ws']]) {
        const { status } = await send(`${method} ${url}`, ['Content-Length: 0']);
        expect([method, path, expectedOf(method, path).includes(status)]).toEqual([method, path, true]);
      }
  });

  it('D12 I7 the page holds nothing of the state, and its JSON is not shown', async () => {
    const { body } = await send('GET /', ['Accept: text/html']);
    expect(body).toContain('id="unlock"');
    for (const words of ['Fake 1', 'Signed in', 'fake', 'running', 'Connected']) expect(body).not.toContain(words);
    expect(codeOf(await send('GET /', ['Accept: application/json']))).toEqual(missing);
    expect(codeOf(await send('GET /api/status', ['Accept: text/event-stream']))).toEqual(missing);
    expect((await send('GET /', ['Accept: text/html', `x-api-key: ${key}`])).body).toContain('Fake 1');
    expect((await send('GET /api/status', [`x-api-key: ${key}`])).status).toBe(200);
  });

  it('D13 /health says that somebody is home, and no more', async () => {
    for (const headers of [[], ['Authorization: Bearer wrong']]) {
      const { status, body } = await send('GET /health', headers);
      expect([status, body]).toEqual([200, '{"status":"ok"}']);
    }
  });

  it('D12 the extension comes in by its Origin and hands in with its own secret', async () => {
    const headers = [`Origin: ${extensionOrigin}`, `Authorization: Bearer ${extension.welcome.secret}`];
    const { status, body } = await send(
      'POST /api/result',
      headers,
      '{"request_id":"x","error":{"code":"cancelled","message":"y"}}',
    );
    expect([status, JSON.parse(body)]).toMatchObject([404, { code: 'not_found' }]);
    // Its Origin alone is no credential elsewhere: any program can send it.
    expect(codeOf(await r0(`Origin: ${extensionOrigin}`))).toEqual(missing);
  });

  it('C2 nobody is let in by what a browser says of itself', async () => {
    for (const site of ['same-origin', 'none']) {
      expect(codeOf(await r0(`Sec-Fetch-Site: ${site}`))).toEqual(missing);
      expect((await r0(`Sec-Fetch-Site: ${site}`, `x-api-key: ${key}`)).status).toBe(200);
    }
  });

  it('H17 no byte of the body is waited for', async () => {
    const head = ['POST /api/process HTTP/1.1', `Host: 127.0.0.1:${portOf(bridge)}`, 'Content-Type: application/json'];
    const answer = await sendRaw(portOf(bridge), [...head, `Content-Length: ${50 * 1024 * 1024}`]);
    expect(codeOf(answer)).toEqual(missing);
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('H21 nobody is told to continue', async () => {
    const head = ['POST /api/process HTTP/1.1', `Host: 127.0.0.1:${portOf(bridge)}`, 'Content-Type: application/json'];
    const expecting = [...head, 'Content-Length: 15', 'Expect: 100-continue'];
    expect((await sendRaw(portOf(bridge), expecting)).status).toBe(401);

    const socket = connect(portOf(bridge), '127.0.0.1').setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (piece: string) => void (text += piece));
    socket.write(`${[...expecting, `x-api-key: ${key}`].join('\r\n')}\r\n\r\n`);
    await expect.poll(() => text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write('{"prompt":"hi"}');
    await expect.poll(() => text).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

it('D14 keys are compared by their hashes, in constant time', () => {
  const keys = readKeys(folder.dir) ?? [];
  expect(findKey(keys, key)?.name).toBe('laptop');
  for (const wrong of ['', 'x', key.slice(1), `${key}${key}`, '\ud800']) expect(findKey(keys, wrong)).toBeUndefined();
  const source = readFileSync(new URL('../../bridge/keys/keys.ts', import.meta.url), 'utf8');
  expect(source).toMatch(/timingSafeEqual\(Buffer\.from\(sha256, 'hex'\), hashed\)/);
  expect(source).not.toMatch(/sha256 [!=]==|[!=]== sha256|given [!=]==/);
});

describe('a key that is revoked', () => {
  it('D15 ends what runs with it, at once, and opens nothing any more; others go on', async () => {
    const stateDir = await temporaryStateDir();
    const [mine, theirs] = ['mine', 'theirs'].map((name) => createKey(stateDir, name, new Date())) as [string, string];
    const { url } = await startProcess({ stateDir });
    const worker = await startFakeExtension({ bridgeUrl: url });
    onTestFinished(() => worker.close());
    const ask = (key: string, body: object) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }], ...body }),
      });

    const called = worker.nextCall();
    const stream = (await ask(mine, { model: 'hang-mid', stream: true })).text();
    const call = await called;
    const follower = await fetch(`${url}/api/status`, {
      headers: { 'x-api-key': mine, Accept: 'text/event-stream' },
    });
    const backgroundCalled = worker.nextCall();
    await fetch(`${url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'x-api-key': mine },
      body: '{"prompt":"x","model":"hang","wait":false}',
    });
    const background = await backgroundCalled;
    const othersCalled = worker.nextCall();
    const otherStream = (await ask(theirs, { model: 'slow-stream', stream: true })).body?.getReader();
    const othersCall = await othersCalled;

    expect(keyCommand(stateDir, 'revoke', 'mine').code).toBe(0);
    const text = await stream;
    expect(text).toContain('invalid_api_key');
    expect(text).not.toContain('[DONE]');
    expect(await call.closed).toBe('aborted');
    expect(await background.closed).toBe('aborted');
    await follower.text();
    const answer = await ask(mine, {});
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: { code: 'invalid_api_key' } }]);
    expect((await ask(theirs, {})).status).toBe(200);
    expect((await otherStream?.read())?.done).toBe(false);
    expect(othersCall.status).toBe('running');
    await otherStream?.cancel();
  });

  it('D15 is void in the very next request, and the last one leaves nobody in', async () => {
    const { dir, remove } = await createTemporaryFolder('state');
    const fresh = await startTemporaryBridge({ stateDir: dir });
    onTestFinished(async () => {
      await fresh.close();
      await remove();
    });
    const status = async (...headers: string[]) => (await send('GET /api/status', headers, '', fresh)).status;
    // Until there is a first key, whatever a program sends as one is of no account.
    expect([await status(), await status('Authorization: Bearer any')]).toEqual([200, 200]);
    const follower = await fetch(`${fresh.url}/api/status`, { headers: { Accept: 'text/event-stream' } });
    const first = createKey(dir, 'first', new Date());
    // Whoever was let in without one hears no more.
    await follower.text();
    expect([await status(), await status(`x-api-key: ${first}`)]).toEqual([401, 200]);
    expect(revokeKey(dir, 'first')).toBe(0);
    expect([await status(), await status(`x-api-key: ${first}`)]).toEqual([401, 401]);
    const second = createKey(dir, 'first', new Date());
    expect([await status(`x-api-key: ${first}`), await status(`x-api-key: ${second}`)]).toEqual([401, 200]);
    rmSync(join(dir, 'keys.json'));
    expect([await status(), await status(`x-api-key: ${second}`)]).toEqual([401, 401]);
  });

  it('D15 stays what it was where the file cannot be trusted any more', async () => {
    const { dir, remove } = await createTemporaryFolder('state');
    const held = createKey(dir, 'held', new Date());
    const fresh = await startTemporaryBridge({ stateDir: dir });
    onTestFinished(async () => {
      await fresh.close();
      await remove();
    });
    chmodSync(join(dir, 'keys.json'), 0o644);
    expect((await send('GET /api/status', [`x-api-key: ${held}`], '', fresh)).status).toBe(200);
    expect((await send('GET /api/status', [], '', fresh)).status).toBe(401);
  });
});

it('D1 is asked for from the first key on, also where the state folder could be made only by then', async () => {
  const parent = await temporaryStateDir();
  const stateDir = join(parent, 'in-the-way', 'state');
  writeFileSync(join(parent, 'in-the-way'), '');
  const fresh = await startTemporaryBridge({ stateDir }, () => {});
  onTestFinished(() => fresh.close());
  const status = async (...headers: string[]) => (await send('GET /api/status', headers, '', fresh)).status;
  expect(await status()).toBe(200);
  rmSync(join(parent, 'in-the-way'));
  const { stdout, stderr } = keyCommand(stateDir, 'create', 'first');
  expect(stderr).toContain('From now on every program needs a key.');
  expect([await status(), await status(`x-api-key: ${stdout.trim()}`)]).toEqual([401, 200]);
});

describe('the command line', () => {
  it('D17 makes a key of 256 random bits, shows it once, and keeps its hash alone', async () => {
    const stateDir = await temporaryStateDir();
    expect(keyCommand(stateDir, 'list')).toMatchObject({ code: 0, stdout: '' });
    const { code, stdout, stderr } = keyCommand(stateDir, 'create', 'laptop');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pb_[\w-]{43}\n$/);
    expect(Buffer.from(stdout.trim().slice(3), 'base64url')).toHaveLength(32);
    expect(stderr).toContain('From now on every program needs a key.');
    const path = join(stateDir, 'keys.json');
    expect(readFileSync(path, 'utf8')).not.toContain(stdout.trim().slice(3));
    expect([statSync(path).mode & 0o777, statSync(stateDir).mode & 0o777]).toEqual([0o600, 0o700]);
    const list = keyCommand(stateDir, 'list');
    expect(list.stdout).toMatch(/^laptop {2}\d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
    expect(list.stdout + list.stderr).not.toContain('pb_');
    expect(keyCommand(stateDir, 'create', 'laptop')).toMatchObject({ code: 2, stdout: '' });
    expect(keyCommand(stateDir, 'revoke', 'phone')).toMatchObject({ code: 2, stdout: '' });
    expect(keyCommand(stateDir, 'revoke', 'laptop').stderr).toContain('nobody may call');
  });

  it('D17 makes no two keys of one name, or alike', async () => {
    const stateDir = await temporaryStateDir();
    const made = Array.from({ length: 20 }, (_, index) => createKey(stateDir, `key-${index}`, new Date()));
    expect(new Set(made).size).toBe(20);
    expect(readKeys(stateDir)).toHaveLength(20);
    expect(() => createKey(stateDir, 'key-3', new Date())).toThrow('There is a key named key-3 already.');
  });
});

it('D19 nothing turns keys off', async () => {
  const stateDir = await temporaryStateDir();
  for (const flag of ['--no-auth', '--no-key', '--insecure', '--dangerously-omit-auth'])
    expect(await run([flag, '--state-dir', stateDir]).ended).toEqual([2, null]);
  const started = run(['--state-dir', stateDir], { PUTER_BRIDGE_DANGEROUSLY_OMIT_AUTH: '1' });
  expect(await started.ended).toEqual([2, null]);
  expect(started.stderr()).toContain('PUTER_BRIDGE_DANGEROUSLY_OMIT_AUTH');
});

it('D18 many wrong keys are told to wait, and the right one always passes', async () => {
  const stateDir = await temporaryStateDir();
  const right = createKey(stateDir, 'laptop', new Date());
  const fresh = await startTemporaryBridge({ stateDir });
  onTestFinished(() => fresh.close());
  const ask = (given: string) => fetch(`${fresh.url}/api/status`, { headers: { 'x-api-key': given } });
  const counts: Record<number, number> = {};
  for (let index = 0; index < 1000; index += 1) {
    const answer = await ask(`wrong-${index}`);
    const { code } = (await answer.json()) as { code: string };
    expect(code).toBe(answer.status === 401 ? 'invalid_api_key' : 'auth_rate_limited');
    expect(answer.headers.get('retry-after')).toBe(answer.status === 401 ? null : '10');
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
  }
  expect(Object.keys(counts)).toEqual(['401', '429']);
  expect(counts[401]).toBeLessThanOrEqual(60);
  expect((await ask(right)).status).toBe(200);
  // Who shows none is not told to wait for it.
  expect((await fetch(`${fresh.url}/api/status`)).status).toBe(401);
});
