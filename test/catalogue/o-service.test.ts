import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { renderAgent } from '../../bridge/service/launchd-agent.ts';
import type { Service } from '../../bridge/service/service.ts';
import { renderUnit } from '../../bridge/service/systemd-unit.ts';
import { main, run, temporaryStateDir } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const wild = String.raw`/we "ird\$HOME ${'${x}'} %i ü<&>'`;
const service: Service = {
  command: ['/usr/bin/node', '/x/main.js', '--state-dir', wild],
  folder: '/x y%',
  environment: { PUTER_BRIDGE_ALLOW_ORIGINS: `https://a.example,${wild}` },
  writable: ['/state', wild],
  stopSeconds: 45,
};

/** A unit as systemd reads it: its sections, each with its keys and all their values. */
function readUnit(text: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n').filter((it) => it !== '' && !it.startsWith('#'))) {
    if (/^\[(Unit|Service|Install)\]$/.test(line)) continue;
    const [, key, value = ''] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`No line of a unit: ${line}`);
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return values;
}

/** The words of a value that is quoted, as systemd takes them apart; `$$` is a dollar where variables are looked for. */
const wordsOf = (value = '', { hasVariables = false } = {}): string[] =>
  [...value.matchAll(/"((?:[^"\\]|\\.)*)"(?: |$)/g)].map(([, word = '']) => {
    const text = word.replace(/\\(.)/g, '$1').replaceAll('%%', '%');
    return hasVariables ? text.replaceAll('$$', '$') : text;
  });

/** A property list as launchd reads it. */
function readPlist(text: string): unknown {
  const tokens = [...text.matchAll(/<(\/?)(\w+)(\/?)>([^<]*)/g)].map(([, end, name, empty, content = '']) => ({
    tag: `${end}${name}${empty}`,
    content: content.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
  }));
  const next = () => tokens.shift() ?? { tag: 'end', content: '' };
  function read({ tag, content } = next()): unknown {
    if (tag === 'true/' || tag === 'false/') return tag === 'true/';
    if (tag === 'dict' || tag === 'array') {
      const entries: [string, unknown][] = [];
      for (let token = next(); token.tag !== `/${tag}`; token = next()) {
        if (tag === 'array') entries.push([String(entries.length), read(token)]);
        else {
          expect([token.tag, next().tag]).toEqual(['key', '/key']);
          entries.push([token.content, read()]);
        }
      }
      return tag === 'dict' ? Object.fromEntries(entries) : entries.map(([, value]) => value);
    }
    expect(next().tag).toBe(`/${tag}`);
    return tag === 'integer' ? Number(content) : content;
  }
  return read();
}

/** What systemd finds wrong with a unit. Where it is not installed, what we read ourselves has to do. */
function complaintsOf(file: string): string {
  const env = { ...process.env, XDG_RUNTIME_DIR: dirname(file) };
  const { error, status, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', file], { env, encoding: 'utf8' });
  if (error && 'code' in error && error.code === 'ENOENT') return '';
  return status === 0 ? stderr : `${status} ${stderr}`;
}

describe('the unit of systemd', () => {
  it('O13 starts again what failed, waits for the drain, and can write to its folders alone', () => {
    const unit = readUnit(renderUnit(service));
    const only = (key: string) => (unit.get(key)?.length === 1 ? unit.get(key)?.[0] : unit.get(key));
    expect({
      ...Object.fromEntries(
        ['Type', 'Restart', 'RestartPreventExitStatus', 'TimeoutStopSec'].map((it) => [it, only(it)]),
      ),
      ...Object.fromEntries(['NoNewPrivileges', 'ProtectSystem', 'LimitCORE', 'WantedBy'].map((it) => [it, only(it)])),
    }).toEqual({
      Type: 'exec',
      Restart: 'on-failure',
      RestartPreventExitStatus: '2',
      TimeoutStopSec: '45',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      LimitCORE: '0',
      WantedBy: 'default.target',
    });
    expect(wordsOf(unit.get('ExecStart')?.[0], { hasVariables: true })).toEqual(service.command);
    expect(wordsOf(unit.get('ReadWritePaths')?.[0])).toEqual(service.writable);
    expect(wordsOf(unit.get('Environment')?.[0])).toEqual([`PUTER_BRIDGE_ALLOW_ORIGINS=https://a.example,${wild}`]);
    expect(unit.get('WorkingDirectory')).toEqual(['/x y%%']);
  });
});

describe('the agent of launchd', () => {
  it('O13 starts again what failed, waits for the drain, and says what it runs', () => {
    const text = renderAgent(service);
    expect(/<!--(.*)-->/s.exec(text)?.[1]).not.toContain('--');
    expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<!DOCTYPE plist /);
    expect(readPlist(/<plist version="1.0">(.*)<\/plist>/s.exec(text)?.[1] ?? '')).toEqual({
      Label: 'puter-bridge',
      ProgramArguments: service.command,
      WorkingDirectory: '/x y%',
      EnvironmentVariables: service.environment,
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ExitTimeOut: 45,
      Umask: 0o077,
      SoftResourceLimits: { Core: 0 },
      HardResourceLimits: { Core: 0 },
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.runIf(process.platform === 'linux')('a service', () => {
  /** A home with a `systemctl` in it that only writes down what it is asked, since no systemd runs where tests run. */
  async function makeHome(exitCode = 0, onEnable = ':') {
    const home = await temporaryStateDir();
    const [bin, config] = [join(home, 'bin'), join(home, 'config')];
    for (const folder of [bin, config]) mkdirSync(folder);
    const asked = join(home, 'asked');
    writeFileSync(asked, '');
    const start = `[ "$2" != enable ] || { ${onEnable}; } >/dev/null 2>&1`;
    const script = `#!/bin/sh\necho "$@" >>'${asked}'\n${start}\necho 'No medium found' >&2\nexit ${exitCode}\n`;
    writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 });
    const stateDir = join(home, 'state');
    const env = { HOME: home, XDG_CONFIG_HOME: config, PATH: `${bin}:${process.env['PATH']}` };
    const command = async (verb: string, ...args: string[]) => {
      const ran = run(['service', verb, '--state-dir', stateDir, ...args], { ...env, PUTER_BRIDGE_PORT: '0' });
      return { code: (await ran.ended)[0], stdout: ran.stdout(), stderr: ran.stderr() };
    };
    const unit = join(config, 'systemd/user/puter-bridge.service');
    return { home, config, stateDir, unit, command, asked: () => readFileSync(asked, 'utf8').trim().split('\n') };
  }

  it('O13 is shown before it is installed, and nothing is made by that', async () => {
    const { home, stateDir, command } = await makeHome();
    const { code, stdout } = await command('print', '--drain', '60', '--log-file', join(home, 'logs', 'x.log'));
    expect(code).toBe(0);
    const unit = readUnit(stdout);
    expect(unit.get('TimeoutStopSec')).toEqual(['75']);
    expect(wordsOf(unit.get('ReadWritePaths')?.[0])).toEqual([join(home, 'state'), join(home, 'logs')]);
    expect(unit.get('Environment')).toEqual(['"PUTER_BRIDGE_PORT=0"', `"PUTER_BRIDGE_STATE_DIR=${stateDir}"`]);
    expect(readdirSync(home).toSorted()).toEqual(['asked', 'bin', 'config']);
  });

  it('O13 has the state folder, and the keys in it, of whoever installs it, wherever that is', async () => {
    const { home } = await makeHome();
    const stateHome = join(home, 'elsewhere');
    const printed = run(['service', 'print'], { HOME: home, XDG_STATE_HOME: stateHome });
    await printed.ended;
    const unit = readUnit(printed.stdout());
    const stateDir = join(stateHome, 'puter-bridge');
    expect(unit.get('Environment')).toEqual([`"PUTER_BRIDGE_STATE_DIR=${stateDir}"`]);
    expect(wordsOf(unit.get('ReadWritePaths')?.[0])).toEqual([stateDir]);
    const evil = run(['service', 'print'], { HOME: home, XDG_STATE_HOME: `${stateHome}\nExecStartPre=/bin/evil` });
    expect([(await evil.ended)[0], evil.stdout()]).toEqual([2, '']);
  });

  it('O13 is what systemd takes without a word', async () => {
    const { home, command } = await makeHome();
    const file = join(home, 'puter-bridge.service');
    const { stdout } = await command('print', '--allow-origin', 'https://a.example');
    expect([...readUnit(stdout).keys()]).toEqual([
      ...['Description', 'Type', 'ExecStart', 'WorkingDirectory', 'Environment', 'Restart', 'RestartSec'],
      ...['RestartPreventExitStatus', 'TimeoutStopSec', 'KillMode', 'UMask', 'LimitCORE', 'NoNewPrivileges'],
      ...['PrivateUsers', 'ProtectSystem', 'ReadWritePaths', 'WantedBy'],
    ]);
    writeFileSync(file, stdout);
    expect(complaintsOf(file)).toBe('');
  });

  it('O13 runs the bridge with the options it was installed with, and is gone without a trace', async () => {
    const { config, stateDir, unit, command, asked } = await makeHome();
    expect(await command('install', '--drain', '7')).toMatchObject({ code: 0, stdout: '' });
    expect(asked()).toEqual(['--user daemon-reload', '--user enable --now puter-bridge']);
    expect(statSync(unit).mode & 0o777).toBe(0o600);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);

    const values = readUnit(readFileSync(unit, 'utf8'));
    const [program = '', ...args] = wordsOf(values.get('ExecStart')?.[0], { hasVariables: true });
    const pairs = wordsOf(values.get('Environment')?.[0]).map((it) => it.split('=') as [string, string]);
    const child = spawn(program, args, {
      cwd: values.get('WorkingDirectory')?.[0],
      env: { ...process.env, ...Object.fromEntries(pairs) },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await expect.poll(() => output, { timeout: 10_000 }).toMatch(/listens on http:\/\/127\.0\.0\.1:\d+\n/);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);

    // With other options: in the place of the first.
    expect(await command('install', '--drain', '8')).toMatchObject({ code: 0 });
    expect(readUnit(readFileSync(unit, 'utf8')).get('TimeoutStopSec')).toEqual(['23']);
    expect(await command('uninstall')).toMatchObject({ code: 0, stderr: expect.stringContaining(stateDir) as string });
    expect(asked().slice(-2)).toEqual(['--user disable --now puter-bridge', '--user daemon-reload']);
    expect(readdirSync(config)).toEqual([]);
    expect(readdirSync(stateDir)).toContain('journal.db');
    expect(await command('uninstall')).toMatchObject({ code: 0, stderr: 'The bridge is no service here.\n' });
  });

  it('O13 is said to run once it answers, and not before', async () => {
    const [port, stateDir] = [await freePort(), await temporaryStateDir()];
    const pidFile = join(stateDir, 'pid');
    const bridge = [process.execPath, main, '--port', `${port}`, '--state-dir', stateDir].map((it) => `'${it}'`);
    const { unit, command } = await makeHome(0, `${bridge.join(' ')} & echo $! >'${pidFile}'`);
    const { code, stderr } = await command('install', '--port', `${port}`);
    onTestFinished(() => void process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL'));
    expect([code, stderr]).toEqual([0, `The bridge runs, and starts at login: ${unit}\n`]);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    // Whose port another one has.
    const second = await makeHome();
    const taken = await second.command('install', '--port', `${port}`);
    expect(taken.code).toBe(0);
    expect(taken.stderr).toContain(`once what answers at http://127.0.0.1:${port} has stopped`);
  });

  it('O13 that does not answer is told of, with where to look', async () => {
    const port = await freePort();
    const { unit, command } = await makeHome();
    const { code, stderr } = await command('install', '--port', `${port}`);
    expect(code).toBe(2);
    expect(stderr).toContain(`${unit} is written and started, but nothing answers at http://127.0.0.1:${port}`);
    expect(stderr).toContain('journalctl --user --unit puter-bridge');
  });

  it('O13 that systemd does not take is told of, with what to run', async () => {
    const { unit, command } = await makeHome(1);
    const { code, stderr } = await command('install');
    expect(code).toBe(2);
    expect(stderr).toContain(`${unit} is written`);
    expect(stderr).toContain('(No medium found)');
    expect(stderr).toContain('systemctl --user daemon-reload');
  });

  it('O13 of somebody else is neither replaced nor removed', async () => {
    const { unit, command } = await makeHome();
    mkdirSync(dirname(unit), { recursive: true });
    writeFileSync(unit, '[Unit]\n');
    for (const verb of ['install', 'uninstall']) expect(await command(verb)).toMatchObject({ code: 2 });
    expect(readFileSync(unit, 'utf8')).toBe('[Unit]\n');
  });

  it('O13 that an older bridge wrote is ours', async () => {
    const { unit, command } = await makeHome();
    mkdirSync(dirname(unit), { recursive: true });
    writeFileSync(unit, '# Made by “puter-bridge service install”, which says how to remove it.\n');
    expect(await command('uninstall')).toMatchObject({ code: 0 });
    expect(existsSync(unit)).toBe(false);
  });

  it('O13 has no option that would be an order to systemd', async () => {
    const { command } = await makeHome();
    const { code, stdout, stderr } = await command('print', '--log-file', '/x\nExecStartPre=/bin/evil');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('control character');
  });
});
