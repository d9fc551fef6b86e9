import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { createKey } from '../../bridge/keys/keys.ts';
import { describeError } from '../../bridge/log/describe-error.ts';
import { createLog, type LogLevel } from '../../bridge/log/log.ts';
import { sendRaw } from '../bridge/raw-socket.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';
import { keyCommand, startProcess, type BridgeProcess } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let folder: TemporaryFolder;
let key: string;
beforeAll(async () => {
  folder = await createTemporaryFolder('state');
  key = createKey(folder.dir, 'laptop', new Date());
});
afterAll(() => folder?.remove());

/** The lines of the log, each of which must be one JSON object. */
const linesOf = (bridge: BridgeProcess): Record<string, unknown>[] =>
  bridge
    .stderr()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const answersIn = (bridge: BridgeProcess) => linesOf(bridge).filter(({ msg }) => msg === 'answered');

/** Answers are logged once they are over, which the caller may know first. */
const untilLogged = (bridge: BridgeProcess, count: number) =>
  expect.poll(() => answersIn(bridge).length, { timeout: 5000 }).toBe(count);

/** A bridge with an extension; `SIGUSR2` makes the next call fail where nobody expects it, `SIGWINCH` is its end. */
async function start(level: LogLevel, secret = '') {
  const sabotage = `
    // Not written out here: where an error comes from is logged, and this is such a place.
    const { SECRET } = process.env;
    const fail = () => { throw Object.assign(new TypeError(SECRET), { body: SECRET, cause: new Error(SECRET) }); };
    process.on('SIGUSR2', () => {
      // What each text of a body is asked.
      const { isWellFormed } = String.prototype;
      String.prototype.isWellFormed = function () { String.prototype.isWellFormed = isWellFormed; fail(); };
      console.log('armed');
    });
    process.on('SIGWINCH', fail);`;
  const bridge = await startProcess({
    stateDir: folder.dir,
    args: ['--log-level', level],
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(sabotage)}`, SECRET: secret },
  });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(bridge.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'x-api-key': key, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { bridge, extension, post };
}

describe.each(['info', 'debug'] as const)('the log of level %s', (level) => {
  it('P1 shows nothing of what was asked, answered, sent along or kept secret, whatever becomes of it', async () => {
    const canaries: string[] = [];
    const canary = () => {
      const made = randomBytes(9).toString('hex');
      canaries.push(made);
      return made;
    };
    const crash = canary();
    const { bridge, extension, post } = await start(level, crash);
    const statuses: number[] = [];
    const expectStatus = async (asked: Promise<{ status: number; text?: () => Promise<string> }>, status: number) => {
      const answer = await asked;
      await answer.text?.();
      statuses.push(answer.status);
      expect(answer.status).toBe(status);
    };
    const everywhere = () => ({ Cookie: `session=${canary()}`, Referer: canary(), 'X-Custom': canary() });
    const chat = (change: object) => ({ model: 'echo', messages: [{ role: 'user', content: canary() }], ...change });
    const schema = (given: object) => ({
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: given, strict: true } },
    });
    const image = () => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${canary()}AA` } });

    for (let round = 0; round < 4; round += 1) {
      await expectStatus(post('/api/process', { prompt: canary(), system: canary() }, everywhere()), 200);
      await expectStatus(post('/v1/chat/completions', chat({ user: canary(), metadata: { a: canary() } })), 200);
      await expectStatus(post('/v1/chat/completions', chat({ stream: true, stop: [canary()] })), 200);
      const parts = [{ type: 'text', text: canary() }, image(), image()];
      await expectStatus(post('/v1/chat/completions', chat({ messages: [{ role: 'user', content: parts }] })), 200);
      await expectStatus(post(`/v1/completions?x=${canary()}`, { prompt: canary() }), 200);
      await expectStatus(post('/api/process', { prompt: canary(), model: canary() }), 404);
      await expectStatus(post('/api/process', `{"prompt":"${canary()}"`), 400);
      await expectStatus(post('/v1/chat/completions', canary()), 400);
      await expectStatus(post('/v1/chat/completions', chat({ temperature: canary(), [canary()]: canary() })), 400);
      await expectStatus(
        post('/v1/chat/completions', chat(schema({ pattern: `${canary()}(\n    at ${canary()}` }))),
        400,
      );
      const unmet = { model: 'json', ...schema({ type: 'object', required: [canary()] }) };
      await expectStatus(post('/v1/chat/completions', chat(unmet)), 422);
      await expectStatus(post('/api/process', { prompt: canary() }, { 'x-api-key': canary() }), 401);
      const both = { Authorization: `Bearer ${canary()}`, 'x-api-key': key };
      await expectStatus(post(`/v1/chat/completions?q=${canary()}`, chat({}), both), 400);
      await expectStatus(post(`/v1/${canary()}?x=${canary()}`, canary()), 404);
      await expectStatus(post(`/v1/${canary()}?token=${canary()}`, canary()), 400);
      await expectStatus(post('/api/process', { prompt: canary() }, { 'Content-Type': `text/${canary()}` }), 415);
      await expectStatus(post('/api/process', { prompt: canary() }, { Origin: `https://${canary()}.example` }), 403);
      await expectStatus(post('/api/process', { prompt: canary(), model: 'hang', timeout_ms: 20 }), 504);
      await expectStatus(post('/api/process', { prompt: canary(), model: 'fail-mid' }), 502);
      const foreign = [`GET /health?key=${canary()} HTTP/1.1`, `Host: ${canary()}.example`, `Cookie: ${canary()}`];
      await expectStatus(sendRaw(bridge.port, foreign), 403);
    }
    const large = ['Content-Type: application/json', `Content-Length: ${64 * 2 ** 20}`, `x-api-key: ${key}`];
    const head = ['POST /api/process HTTP/1.1', `Host: 127.0.0.1:${bridge.port}`, ...large];
    await expectStatus(sendRaw(bridge.port, head, `{"prompt":"${canary()}`), 413);
    for (const path of ['/api/process', '/v1/chat/completions']) {
      const armed = bridge.stdout().split('armed').length;
      bridge.child.kill('SIGUSR2');
      await expect.poll(() => bridge.stdout().split('armed').length).toBe(armed + 1);
      await expectStatus(post(path, { prompt: canary(), ...chat({}) }), 500);
    }
    expect(canaries.length).toBeGreaterThanOrEqual(100);
    bridge.child.kill('SIGWINCH');
    expect(await bridge.ended).toEqual([1, null]);

    const output = bridge.stdout() + bridge.stderr();
    expect([key, extension.welcome.secret, ...canaries].filter((it) => output.includes(it))).toEqual([]);
    expect(linesOf(bridge)).toContainEqual(
      expect.objectContaining({
        level: 'error',
        msg: 'unexpected',
        err: expect.objectContaining({ name: 'TypeError' }),
      }),
    );
    expect(linesOf(bridge).at(-1)).toMatchObject({ level: 'fatal', err: { name: 'TypeError' } });
    expect(linesOf(bridge).some(({ msg }) => msg === 'why')).toBe(level === 'debug');
    // Refusals are so many that some have no line; all others have theirs.
    const isRefusal = (status: unknown) => Number(status) >= 400 && Number(status) < 500;
    expect(answersIn(bridge).filter(({ status }) => !isRefusal(status))).toHaveLength(
      statuses.filter((status) => !isRefusal(status)).length,
    );
  });
});

describe('a line', () => {
  it('P4 tells of a request by its route, and never by its address', async () => {
    const { bridge, post } = await start('info');
    const id = ((await (await post('/api/process?a=secret', { prompt: 'secret' })).json()) as { request_id: string })
      .request_id;
    const get = (path: string) => fetch(bridge.url + path, { headers: { 'x-api-key': key, 'User-Agent': 'curl/8' } });
    await (await get(`/api/result/${id}?secret`)).text();
    await (await get('/v1/models/anthropic/claude-secret?secret')).text();
    await (await get('/secret')).text();
    await (await fetch(`${bridge.url}/health?secret`, { headers: { 'User-Agent': 'curl/8' } })).text();
    await untilLogged(bridge, 5);
    const common = {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      msg: 'answered',
      ms: expect.any(Number) as number,
      bytes: expect.any(Number) as number,
      request_id: null,
      scope: expect.stringMatching(/^key:laptop [\da-f]{16}$/) as string,
    };
    expect(answersIn(bridge)).toEqual([
      { ...common, method: 'POST', route: '/api/process', status: 200, request_id: id },
      { ...common, method: 'GET', route: '/api/result/:requestId', status: 200 },
      {
        ...common,
        method: 'GET',
        route: '/v1/models/*id',
        status: 404,
        code: 'model_not_found',
        request_id: expect.stringMatching(/^req_/) as string,
      },
      { ...common, method: 'GET', route: null, status: 404, code: 'not_found' },
      { ...common, method: 'GET', route: '/health', status: 200, scope: '127.0.0.1 curl/8' },
    ]);
    for (const { bytes } of answersIn(bridge)) expect(bytes).toBeGreaterThan(100);
    expect(bridge.stdout() + bridge.stderr()).not.toContain('secret');
  });

  it('P4 tells of what goes wrong as a warning, and of a caller that hung up', async () => {
    const { bridge, extension, post } = await start('warn');
    await (await post('/api/process', { prompt: 'x', model: 'fail-mid' })).text();
    await untilLogged(bridge, 1);
    expect(answersIn(bridge)).toMatchObject([
      { level: 'warn', status: 502, scope: expect.stringMatching(/^key:laptop [\da-f]{16}$/) as string },
    ]);
    extension.close();
    // Its folder is the next one's.
    bridge.child.kill('SIGKILL');
    await bridge.ended;

    const { bridge: other, post: ask } = await start('info');
    const stop = new AbortController();
    const answer = await fetch(`${other.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'x-api-key': key },
      body: '{"model":"hang-mid","stream":true,"messages":[{"role":"user","content":"x"}]}',
      signal: stop.signal,
    });
    stop.abort();
    await expect(answer.text()).rejects.toThrow('aborted');
    await (await ask('/api/process', { prompt: 'x' })).text();
    await untilLogged(other, 2);
    expect(answersIn(other).map(({ status, cut }) => [status, cut])).toContainEqual([200, true]);
  });

  it('P5 is not to be had without a key, nor is the status', async () => {
    const { bridge } = await start('silent');
    for (const path of ['/api/status', '/metrics', '/status', '/logs'])
      expect((await fetch(bridge.url + path)).status).toBe(401);
    expect(bridge.stderr()).toBe('');
  });

  it('I9 stays one line, whatever somebody calls a model or himself', async () => {
    const { bridge, post } = await start('debug');
    const wild = 'x\n{"level":"fatal"}\r\n\u001b[2J\u202e';
    await (await post('/api/process', { prompt: wild, model: wild })).text();
    await (await post('/v1/chat/completions', { model: wild, messages: [{ role: wild, content: wild }] })).text();
    const head = ['GET /health HTTP/1.1', `Host: 127.0.0.1:${bridge.port}`, 'User-Agent: a\tb\u0085c"}'];
    await sendRaw(bridge.port, head);
    await untilLogged(bridge, 3);
    expect(linesOf(bridge).filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(bridge.stderr()).not.toContain('\u001b');
  });

  it('J10 is not written for each of many refusals', async () => {
    const { bridge } = await start('info');
    const startedAt = performance.now();
    const ask = async () => {
      for (let index = 0; index < 250; index += 1) await (await fetch(`${bridge.url}/api/status`)).text();
    };
    await Promise.all(Array.from({ length: 8 }, ask));
    const seconds = Math.ceil((performance.now() - startedAt) / 1000);
    expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    const refusals = answersIn(bridge).filter(({ status }) => status === 401);
    const counts = linesOf(bridge).map(({ suppressed }) => Number(suppressed ?? 0));
    expect(refusals.length).toBeLessThanOrEqual(10 * (seconds + 1));
    expect(counts.filter((count) => count > 0).length).toBeLessThanOrEqual(seconds + 1);
    expect(counts.reduce((sum, count) => sum + count, refusals.length)).toBe(2000);
    expect(answersIn(bridge).filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('the log', () => {
  function collect(level: LogLevel, isTerminal: boolean) {
    let written = '';
    const write = (line: string) => void (written += line);
    return { log: createLog({ level, isTerminal, destination: { write } }), written: () => written };
  }

  it('P2 says of an error what it is and where it came from, and nothing that hangs on it', () => {
    const parserError = Object.assign(new SyntaxError('Unexpected token in "sk-secret"'), {
      body: 'sk-secret',
      cause: Object.assign(new Error('sk-secret'), { code: 'ERR_X', rawBody: 'sk-secret' }),
    });
    const { log, written } = collect('info', false);
    log.error({ err: parserError }, 'unexpected');
    log.error({ err: 'sk-secret' }, 'unexpected');
    expect(written()).not.toContain('sk-secret');
    expect(describeError(parserError)).toMatchObject({
      name: 'SyntaxError',
      stack: expect.arrayContaining([expect.stringContaining('p-logs.test.ts')]) as string[],
      cause: { name: 'Error', code: 'ERR_X' },
    });
    expect(describeError(new BridgeError('not_found', 'Our own words.'))).toMatchObject({ message: 'Our own words.' });
    const quoted = 'sk-secret\n    at sk-secret';
    const ofSchema = describeError(new BridgeError('unusable_answer', quoted, { cause: new SyntaxError(quoted) }));
    expect(JSON.stringify(ofSchema)).not.toContain('sk-secret');
    expect(ofSchema).toMatchObject({
      name: 'BridgeError',
      code: 'unusable_answer',
      stack: expect.any(Array) as string[],
    });
    const ofSystem = Object.assign(new Error('EACCES: /state'), { code: 'EACCES', syscall: 'open' });
    expect(describeError(ofSystem)).toMatchObject({ code: 'EACCES', message: 'EACCES: /state' });
  });

  it('I9 is, for a person, a line to read: no name moves the cursor', () => {
    const { log, written } = collect('info', true);
    log.info({ scope: '127.0.0.1 a\nb\u001b[2J', status: 200, facts: { a: 1 } }, 'answered');
    log.debug('not this');
    expect(written()).toMatch(
      /^\d\d:\d\d:\d\d INFO {2}answered scope=127\.0\.0\.1 ab\[2J status=200 facts=\{"a":1\}\n$/,
    );
  });

  it('P1 describes nothing below its level', () => {
    const { log, written } = collect('warn', false);
    let looked = 0;
    const err = Object.defineProperty(new Error('x'), 'name', { get: () => `looked ${(looked += 1)}` });
    for (const level of ['debug', 'info'] as const) log[level]({ err }, 'x');
    expect([looked, written()]).toEqual([0, '']);
    log.warn({ err }, 'x');
    expect(looked).toBeGreaterThan(0);
  });

  it('P1 shows no key that the command line makes but where it is asked for', () => {
    const { stdout, stderr } = keyCommand(folder.dir, 'create', 'phone');
    expect(stdout).toMatch(/^pb_\S+\n$/);
    expect(stderr).not.toContain('pb_');
    expect(keyCommand(folder.dir, 'list').stdout).not.toContain('pb_');
  });
});
