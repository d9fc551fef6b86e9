import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createKey } from '../../bridge/keys/keys.ts';
import { openLogFile } from '../../bridge/log/log-file.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { run, startProcess, temporaryStateDir } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const modeOf = (path: string) => statSync(path).mode & 0o777;
const linesOf = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

function fail(error: unknown): never {
  throw new Error('The log file could not be written.', { cause: error });
}

describe('a log file', () => {
  it('P8 begins anew where it is full; five are kept, for one person alone', async () => {
    const folder = await temporaryStateDir();
    const name = join(folder, 'logs', 'bridge.log');
    const file = openLogFile(name, { onTrouble: fail, maxBytes: 100 });
    // Three to a file.
    for (let index = 10; index < 40; index += 1) file.write(`${'x'.repeat(28)} ${index}\n`);
    const names = ['bridge.log', ...[1, 2, 3, 4].map((index) => `bridge.log.${index}`)];
    expect(readdirSync(join(folder, 'logs')).toSorted()).toEqual(names);
    const kept = names.map((it) => linesOf(join(folder, 'logs', it)).map((line) => line.slice(-2)));
    expect(kept).toEqual([37, 34, 31, 28, 25].map((first) => [first, first + 1, first + 2].map(String)));
    for (const it of names) expect([it, modeOf(join(folder, 'logs', it))]).toEqual([it, 0o600]);
    expect(modeOf(join(folder, 'logs'))).toBe(0o700);

    const again = openLogFile(name, { onTrouble: fail, maxBytes: 100 });
    again.write('after a restart\n');
    expect([linesOf(name), linesOf(`${name}.1`).length]).toEqual([['after a restart'], 3]);
  });

  it('P8 is of 10 MB, and each line of it is JSON', async () => {
    const folder = await temporaryStateDir();
    const name = join(folder, 'bridge.log');
    writeFileSync(name, 'x'.repeat(10 * 2 ** 20 - 1), { mode: 0o600 });
    const bridge = await startProcess({ args: ['--log-file', name, '--log-level', 'debug'] });
    await (await fetch(`${bridge.url}/health`)).text();
    await (await fetch(`${bridge.url}/nowhere`)).text();
    // The last line, after that of the answer it explains.
    await expect.poll(() => linesOf(name).at(-1)).toContain('"msg":"why"');
    expect(linesOf(name).filter((line) => line.includes('"answered"'))).toHaveLength(2);
    expect(statSync(`${name}.1`).size).toBe(10 * 2 ** 20 - 1);
    await expect.poll(bridge.stderr).toBe(readFileSync(name, 'utf8'));
    for (const line of linesOf(name)) expect(JSON.parse(line)).toHaveProperty('level');
    expect(modeOf(name)).toBe(0o600);
  });

  it.each<[string, (name: string) => void]>([
    ['removed', (name) => rmSync(name)],
    ['moved away', (name) => renameSync(name, `${name}.old`)],
  ])('P8 that was %s is made anew, for one person alone', async (_, take) => {
    const name = join(await temporaryStateDir(), 'bridge.log');
    const bridge = await startProcess({ args: ['--log-file', name] });
    const ask = async () => void (await (await fetch(`${bridge.url}/health`)).text());
    await ask();
    await expect.poll(() => linesOf(name).at(-1)).toContain('"answered"');
    take(name);
    await expect
      .poll(
        async () => {
          await ask();
          return existsSync(name) && linesOf(name).at(-1);
        },
        { timeout: 5000 },
      )
      .toContain('"answered"');
    expect(modeOf(name)).toBe(0o600);
    expect(bridge.stderr()).not.toContain('cannot be written');
  });

  it('P8 is not there unless somebody wants it', async () => {
    const bridge = await startProcess();
    await (await fetch(`${bridge.url}/health`)).text();
    expect(readdirSync(bridge.stateDir).filter((name) => /log/.test(name))).toEqual([]);
  });

  it('P8 O9 that others can read, or that is a link, is refused', async () => {
    const folder = await temporaryStateDir();
    const [open, link, below] = [join(folder, 'open.log'), join(folder, 'link.log'), join(folder, 'open.log', 'x')];
    writeFileSync(open, '');
    chmodSync(open, 0o644);
    symlinkSync('nowhere', link);
    for (const [path, words] of [
      [open, `chmod 600 '${open}'`],
      [link, 'not a link'],
      [below, 'There can be no log file'],
    ] as const) {
      const started = run(['--port', '0', '--state-dir', await temporaryStateDir(), '--log-file', path]);
      expect(await started.ended).toEqual([2, null]);
      expect(started.stderr()).toContain(words);
    }
  });

  it('P8 that cannot be written any more is told of once, and nothing else suffers', async () => {
    const folder = await temporaryStateDir();
    const name = join(folder, 'bridge.log');
    const troubles: unknown[] = [];
    const file = openLogFile(name, { onTrouble: (error) => troubles.push(error), maxBytes: 20 });
    // What is in the way of the next one cannot be moved.
    mkdirSync(join(folder, 'bridge.log.1', 'full'), { recursive: true });
    for (let index = 0; index < 5; index += 1) file.write('twelve chars\n');
    expect(troubles).toMatchObject([{ syscall: 'rename' }]);
    expect(linesOf(name)).toEqual(['twelve chars']);
  });
});

describe('a report of a fault', () => {
  async function reportOf(...args: string[]): Promise<{ text: string; report: Record<string, unknown> }> {
    const ran = run(['report', ...args]);
    expect(await ran.ended).toEqual([0, null]);
    expect(ran.stderr()).toContain('before you share it');
    return { text: ran.stdout() + ran.stderr(), report: JSON.parse(ran.stdout()) as Record<string, unknown> };
  }

  it('P7 tells of versions, config, hops and the last lines of the log, and of nothing that was said or is secret', async () => {
    const canaries: string[] = [];
    const canary = () => {
      const made = `canary${randomBytes(9).toString('hex')}`;
      canaries.push(made);
      return made;
    };
    const stateDir = await temporaryStateDir();
    const logFile = join(stateDir, 'bridge.log');
    const args = ['--log-level', 'debug', '--log-file', logFile];
    const bridge = await startProcess({ stateDir, args });
    const extension = await startFakeExtension({ bridgeUrl: bridge.url, username: canary() });
    onTestFinished(() => extension.close());
    const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const answer = await fetch(bridge.url + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': canary(), ...headers },
        body: JSON.stringify(body),
      });
      return [answer.status, await answer.text()];
    };
    const messages = [{ role: 'user', content: canary() }];
    expect(await post('/api/process', { prompt: canary(), model: 'echo' })).toContain(200);
    expect(await post('/v1/chat/completions', { messages, model: 'echo', stream: true })).toContain(200);
    expect(await post('/api/process', { prompt: canary(), model: canary() })).toContain(404);
    expect(await post(`/${canary()}?token=${canary()}`, {}, { Cookie: canary() })).toContain(400);
    expect(await post('/api/process', { prompt: canary() }, { Authorization: `Bearer ${canary()}` })).toContain(200);
    // What somebody else wrote into the file.
    writeFileSync(
      logFile,
      `${canary()}\n{"level":"info","time":"now","status":null,"token":"${canary()}","msg":"Bearer ${canary()}"}\n`,
      {
        flag: 'a',
      },
    );

    const common = ['--port', String(bridge.port), '--state-dir', stateDir, ...args];
    const { text, report } = await reportOf(...common);
    expect(canaries.length).toBeGreaterThan(15);
    expect([extension.welcome.secret, homedir(), ...canaries].filter((it) => text.includes(it))).toEqual([]);
    expect(report).toMatchObject({
      puter_bridge: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      node: process.version,
      config: { port: bridge.port, logLevel: 'debug', limits: { maxHeaders: 100 } },
      state_folder: expect.arrayContaining([expect.stringMatching(/^journal\.db: \d+ bytes, 600$/)]) as string[],
      bridge: {
        hops: { bridge: { state: 'connected' }, session: { state: 'signed_in' }, puter: { state: 'reachable' } },
        extensions: [{ browser: 'Fake 1', lanes: { busy: 0, free: 3 } }],
        queue: { queued: 0, running: 0 },
      },
    });
    expect(report['log']).toContainEqual(
      expect.objectContaining({ msg: 'answered', route: '/api/process', status: 404 }),
    );

    expect(report['log']).toContainEqual({ level: 'info', time: 'now', status: null, msg: '[redacted]' });

    const key = createKey(stateDir, 'laptop', new Date());
    await expect.poll(async () => (await fetch(`${bridge.url}/api/status`)).status).toBe(401);
    const locked = await reportOf(...common);
    expect(locked.report['bridge']).toContain('only with a key');
    expect(locked.text).not.toContain(key);
  });

  it('P7 can be made where no bridge runs and nothing is there, and makes nothing', async () => {
    const stateDir = join(await temporaryStateDir(), 'none');
    const logFile = join(stateDir, 'none.log');
    const bridge = await startProcess();
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    const { report } = await reportOf('--port', String(bridge.port), '--state-dir', stateDir, '--log-file', logFile);
    expect(report).toMatchObject({ bridge: 'ECONNREFUSED', state_folder: 'ENOENT', log: 'ENOENT' });
    expect(() => statSync(stateDir)).toThrow('ENOENT');
    const empty = join(bridge.stateDir, 'empty.log');
    writeFileSync(empty, '');
    expect(
      (await reportOf('--port', String(bridge.port), '--state-dir', stateDir, '--log-file', empty)).report['log'],
    ).toEqual([]);
  });

  it('P7 counts the hosts and sites that were named, and can be read where nobody is at home', async () => {
    const stateDir = await temporaryStateDir();
    const named = ['--allow-origin', 'https://canary.example', '--allowed-host', 'canary.lan'];
    const ran = run(['report', '--port', '2', '--state-dir', stateDir, ...named], { HOME: '' });
    expect(await ran.ended).toEqual([0, null]);
    expect(ran.stdout()).not.toContain('canary');
    const config = { allowedHosts: 1, allowedOrigins: 1, stateDir };
    expect(JSON.parse(ran.stdout())).toMatchObject({ config });
  });

  it('P7 repeats nothing of another program that has the port', async () => {
    const other = createServer((_, response) => response.end('{"hops":"secret","token":"secret"}'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { text, report } = await reportOf('--port', String(port), '--state-dir', await temporaryStateDir());
    expect(report['bridge']).toBe('something else answers, with status 200');
    expect(text).not.toContain('"secret"');
  });
});

describe('what Node writes of its memory', () => {
  it('P6 is nothing, whatever becomes of the bridge: it would hold prompts and keys', async () => {
    const folder = await temporaryStateDir();
    const plant = `process.on('SIGWINCH', () => { throw new TypeError() });
      process.on('SIGPIPE', () => console.log('flags', JSON.stringify([process.report.reportOnFatalError,
        process.report.reportOnSignal, process.report.reportOnUncaughtException, process.execArgv])));
      process.chdir(${JSON.stringify(folder)});`;
    const bridge = await startProcess({
      env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(plant)}` },
    });
    bridge.child.kill('SIGPIPE');
    await expect.poll(bridge.stdout).toContain('flags [false,false,false,[]]');
    bridge.child.kill('SIGWINCH');
    expect(await bridge.ended).toEqual([1, null]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
