import { homedir } from 'node:os';
import path from 'node:path';

import { CommanderError, InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { defaults, findStateDir, parsePort, readConfig } from '../../bridge/config.ts';

let printed = '';
beforeEach(() => {
  printed = '';
  vi.stubEnv('PUTER_BRIDGE_PORT', undefined);
  vi.stubEnv('PUTER_BRIDGE_STATE_DIR', undefined);
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const thrownBy = (args: string[]): unknown => {
  try {
    return readConfig(args, '1.2.3');
  } catch (error) {
    return error;
  }
};

describe('the config', () => {
  it('is that of the defaults where nothing is said', () => {
    const stateDir = findStateDir(process.platform, process.env, homedir());
    expect(readConfig([], '1.2.3')).toEqual({ ...defaults, stateDir });
    expect(defaults.port).toBe(5001);
  });

  it.each([[['--port', '5002']], [['-p', '5002']], [['--port=5002']]])('takes the port from %j', (args) => {
    expect(readConfig(args, '1.2.3')).toMatchObject({ ...defaults, port: 5002 });
  });

  it('takes the port from the environment, unless a flag says another', () => {
    vi.stubEnv('PUTER_BRIDGE_PORT', '5003');
    expect(readConfig([], '1.2.3').port).toBe(5003);
    expect(readConfig(['--port', '5002'], '1.2.3').port).toBe(5002);
  });

  it('takes the state folder from the environment, unless a flag says another, and makes it absolute', () => {
    vi.stubEnv('PUTER_BRIDGE_STATE_DIR', 'of-the-environment');
    expect(readConfig([], '1.2.3').stateDir).toBe(path.resolve('of-the-environment'));
    expect(readConfig(['--state-dir', 'of/the-flag'], '1.2.3').stateDir).toBe(path.resolve('of/the-flag'));
  });

  it.each([
    [['--state-dir', ' '], 'Name a folder.'],
    [['--port', 'five'], 'whole number from 0 to 65535'],
    [['--port', '65536'], 'whole number from 0 to 65535'],
    [['--port', '-1'], 'whole number from 0 to 65535'],
    [['--port'], 'argument missing'],
    [['--prot', '1'], "unknown option '--prot'"],
    [['5002'], 'too many arguments'],
  ])('says what is wrong with %j, and where there is help', (args, sentence) => {
    const error = thrownBy(args);
    expect(error).toBeInstanceOf(CommanderError);
    expect(error).toHaveProperty('exitCode', 1);
    expect(printed).toContain(sentence);
    expect(printed).toContain('Try --help.');
  });

  it('says where a wrong port in the environment comes from', () => {
    vi.stubEnv('PUTER_BRIDGE_PORT', 'x');
    expect(thrownBy([])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('PUTER_BRIDGE_PORT');
  });

  it.each([
    ['--help', '--port <number>'],
    ['--version', '1.2.3'],
  ])('%s is no mistake', (flag, words) => {
    expect(thrownBy([flag])).toHaveProperty('exitCode', 0);
    expect(printed).toContain(words);
  });
});

describe('the state folder', () => {
  it.each([
    ['linux', {}, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['linux', { XDG_STATE_HOME: '/var/ada' }, '/home/ada', '/var/ada/puter-bridge'],
    ['linux', { XDG_STATE_HOME: 'relative' }, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['linux', { XDG_STATE_HOME: '' }, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['freebsd', {}, '/home/ada', '/home/ada/.local/state/puter-bridge'],
    ['darwin', { XDG_STATE_HOME: '/x' }, '/Users/ada', '/Users/ada/Library/Application Support/puter-bridge'],
    ['win32', { LOCALAPPDATA: String.raw`D:\ada` }, String.raw`C:\Users\ada`, String.raw`D:\ada\puter-bridge`],
    ['win32', {}, String.raw`C:\Users\ada`, String.raw`C:\Users\ada\AppData\Local\puter-bridge`],
  ] as const)('lies on %s with %j and the home %s at %s', (platform, env, home, folder) => {
    expect(findStateDir(platform, env, home)).toBe(folder);
  });
});

describe('a port', () => {
  it('is any whole number that TCP knows', () => {
    fc.assert(
      fc.property(fc.nat({ max: 65_535 }), (port) => {
        expect(parsePort(String(port))).toBe(port);
      }),
    );
  });

  it('is nothing else', () => {
    for (const text of ['', ' ', '65536', '1e3', '0x10', '5001.0', '+1', '-1', ' 5001', '5001 ', '١', '100000'])
      expect(() => parsePort(text)).toThrow(InvalidArgumentError);
  });
});
