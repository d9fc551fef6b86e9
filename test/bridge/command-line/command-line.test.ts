import { homedir } from 'node:os';
import path from 'node:path';

import { CommanderError } from 'commander';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { readCommandLine } from '../../../bridge/command-line/command-line.ts';
import { defaults } from '../../../bridge/config.ts';
import { parseOrigins } from '../../../bridge/command-line/origins.ts';
import { findStateDir } from '../../../bridge/command-line/paths.ts';

const readConfig = (args: string[], version: string) => readCommandLine(args, version).config;

let printed = '';
beforeEach(() => {
  printed = '';
  for (const name of Object.keys(process.env)) if (name.startsWith('PUTER_BRIDGE_')) vi.stubEnv(name, undefined);
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

  it('takes how long a model may say nothing in seconds', () => {
    vi.stubEnv('PUTER_BRIDGE_FIRST_TOKEN', '300');
    expect(readConfig([], '1.2.3').firstTokenMs).toBe(300_000);
    expect(readConfig(['--first-token', '30'], '1.2.3')).toMatchObject({ firstTokenMs: 30_000, lostGraceMs: 30_000 });
  });

  it('wants the known extension paired where a flag or the environment says so', () => {
    const wanted = (...args: string[]) => readConfig(args, '1.2.3').requirePairing;
    expect([wanted(), wanted('--require-pairing')]).toEqual([false, true]);
    for (const [value, isWanted] of Object.entries({
      1: true,
      true: true,
      YES: true,
      0: false,
      no: false,
      '': false,
    })) {
      vi.stubEnv('PUTER_BRIDGE_REQUIRE_PAIRING', value);
      expect([wanted(), wanted('--require-pairing')]).toEqual([isWanted, true]);
    }
    vi.stubEnv('PUTER_BRIDGE_REQUIRE_PAIRING', 'perhaps');
    expect(thrownBy([])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('PUTER_BRIDGE_REQUIRE_PAIRING is “perhaps”');
  });

  it('takes how long and how much is kept from flags and environment', () => {
    const kept = (...args: string[]) => {
      const { keepMs, keepBytes } = readConfig(args, '1.2.3');
      return [keepMs, keepBytes];
    };
    const hour = 60 * 60 * 1000;
    expect(kept()).toEqual([24 * hour, 100_000_000]);
    expect(kept('--keep-results', '48', '--keep-results-size', '5')).toEqual([48 * hour, 5_000_000]);
    vi.stubEnv('PUTER_BRIDGE_KEEP_RESULTS', '0');
    vi.stubEnv('PUTER_BRIDGE_KEEP_RESULTS_SIZE', '7');
    expect(kept()).toEqual([0, 7_000_000]);
  });

  it('keeps history where a flag or the environment says so, and never without answers', () => {
    const wanted = (...args: string[]) => readConfig(args, '1.2.3').keepsHistory;
    expect([wanted(), wanted('--history')]).toEqual([false, true]);
    expect(thrownBy(['--history', '--keep-results', '0'])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('--keep-results 0 keeps none. Choose one.');
    vi.stubEnv('PUTER_BRIDGE_HISTORY', '0');
    expect([wanted(), wanted('--keep-results', '0')]).toEqual([false, false]);
    vi.stubEnv('PUTER_BRIDGE_HISTORY', '1');
    expect(wanted()).toBe(true);
    expect(thrownBy(['--keep-results', '0'])).toHaveProperty('exitCode', 1);
  });

  it.each([
    [['--keep-results', '1.5'], 'whole number from 0 to 8760'],
    [['--keep-results', '9000'], 'whole number from 0 to 8760'],
    [['--keep-results', '-1'], 'whole number from 0 to 8760'],
    [['--keep-results-size', '0'], 'whole number from 1 to 999999'],
    [['--keep-results-size', '100MB'], 'whole number from 1 to 999999'],
    [['--state-dir', ' '], 'Name a folder.'],
    [['--port', 'five'], 'whole number from 0 to 65535'],
    [['--port', '65536'], 'whole number from 0 to 65535'],
    [['--port', '-1'], 'whole number from 0 to 65535'],
    [['--port'], 'argument missing'],
    [['--port', '6000'], 'Browsers block port 6000, so no extension could connect. Choose another.'],
    [['--first-token', '0'], 'whole number from 1 to 9999'],
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

describe('the origins whose pages may call', () => {
  const origins = (...args: string[]) => readConfig(args, '1.2.3').allowedOrigins;
  const allow = (origin: string) => origins('--allow-origin', origin);

  it('are none where nobody names one', () => {
    expect(origins()).toEqual([]);
    vi.stubEnv('PUTER_BRIDGE_ALLOW_ORIGINS', '');
    expect(origins()).toEqual([]);
  });

  it('are those that the flags name, each once', () => {
    const [one, two] = ['https://app.example', 'http://localhost:3000'];
    expect(origins('--allow-origin', one, '--allow-origin', two, `--allow-origin=${one}`)).toEqual([one, two]);
  });

  it('are those of the environment, unless a flag names others', () => {
    vi.stubEnv('PUTER_BRIDGE_ALLOW_ORIGINS', 'https://app.example, http://localhost:3000,');
    expect(origins()).toEqual(['https://app.example', 'http://localhost:3000']);
    expect(allow('https://other.example')).toEqual(['https://other.example']);
  });

  it.each([
    'https://app.example',
    'https://app.example:8443',
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
    'http://my_app.localhost',
    `chrome-extension://${'abcdefghijklmnop'.repeat(2)}`,
    'moz-extension://0190a8f0-0000-7000-8000-000000000000',
  ])('may be %s', (origin) => {
    expect(allow(origin)).toEqual([origin]);
  });

  it.each([
    ['https://app.example/', 'https://app.example'],
    ['https://app.example/path?x#y', 'https://app.example'],
    ['https://App.Example', 'https://app.example'],
    ['HTTPS://app.example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://localhost:80', 'http://localhost'],
    ['http://localhost:03000', 'http://localhost:3000'],
    ['http://127.1:3000', 'http://127.0.0.1:3000'],
    ['https://me@app.example', 'https://app.example'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('are not written %s, but %s', (text, origin) => {
    expect(thrownBy(['--allow-origin', text])).toHaveProperty('exitCode', 1);
    expect(printed).toContain(`Browsers send ${origin} instead`);
  });

  it.each([
    '*',
    'null',
    'localhost:3000',
    'app.example',
    '//app.example',
    'https://',
    'https://*.app.example',
    'https://app.example https://b.example',
    'file://',
    'ftp://app.example',
    'chrome-extension://abc',
    `chrome-extension://${'a'.repeat(32)}/`,
    'chrome-extension://*',
    'moz-extension://0190A8F0-0000-7000-8000-000000000000',
  ])('are never %s', (text) => {
    expect(thrownBy(['--allow-origin', `https://good.example,${text}`])).toHaveProperty('exitCode', 1);
    expect(printed).toContain(`“${text}” is no origin as browsers send it. Write each like https://app.example`);
    vi.stubEnv('PUTER_BRIDGE_ALLOW_ORIGINS', text);
    expect(thrownBy([])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('PUTER_BRIDGE_ALLOW_ORIGINS');
  });

  it('hold nothing that the browser would write in another way', () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        const accepted = (text: string) => {
          try {
            // Not by way of the whole command line, which takes a while to set up.
            return parseOrigins(text, []).length > 0;
          } catch {
            return false;
          }
        };
        fc.pre(!url.includes(','));
        expect(accepted(url)).toBe(new URL(url).origin === url);
        expect(accepted(new URL(url).origin)).toBe(true);
      }),
    );
    // Making addresses up takes its time.
  }, 30_000);
});

describe('the task', () => {
  const taskOf = (...args: string[]) => readCommandLine(args, '1.2.3').task;

  it('is to start the bridge, or something about its keys', () => {
    expect(taskOf()).toEqual({ type: 'start' });
    expect(taskOf('key', 'list')).toEqual({ type: 'list_keys' });
    expect(taskOf('key', 'create', 'laptop')).toEqual({ type: 'create_key', name: 'laptop' });
    expect(taskOf('key', 'revoke', 'My.Phone_2')).toEqual({ type: 'revoke_key', name: 'My.Phone_2' });
  });

  it('may be about the history', () => {
    expect(taskOf('history')).toEqual({ type: 'list_history' });
    expect(taskOf('history', 'show', 'some-id')).toEqual({ type: 'show_history', id: 'some-id' });
    expect(taskOf('history', 'clear')).toEqual({ type: 'clear_history' });
    for (const args of [
      ['history', 'some-id'],
      ['history', 'show'],
      ['history', 'clear', 'x'],
    ])
      expect(thrownBy(args)).toHaveProperty('exitCode', 1);
  });

  it('knows its folder before and after it', () => {
    for (const args of [
      ['--state-dir', '/x', 'key', 'list'],
      ['key', 'list', '--state-dir', '/x'],
    ])
      expect(readCommandLine(args, '1.2.3')).toMatchObject({ task: { type: 'list_keys' }, config: { stateDir: '/x' } });
  });

  it.each(['', '.x', '-x', 'a b', 'a\nb', 'ü', 'x'.repeat(33), 'a/b'])('has no key named %j', (name) => {
    for (const verb of ['create', 'revoke']) expect(thrownBy(['key', verb, '--', name])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('1 to 32 letters');
  });

  it.each([['key'], ['key', 'make'], ['key', 'create'], ['key', 'list', 'x']])('is not %j', (...args) => {
    expect(thrownBy(args)).toHaveProperty('exitCode', 1);
  });
});

describe('the names that callers may call it by', () => {
  const names = (...args: string[]) => readConfig(args, '1.2.3').allowedHosts;

  it('are those that the flags name, in lower case and each once, else those of the environment', () => {
    expect(names()).toEqual([]);
    vi.stubEnv('PUTER_BRIDGE_ALLOWED_HOSTS', 'a.example, 192.168.1.5,');
    expect(names()).toEqual(['a.example', '192.168.1.5']);
    expect(names('--allowed-host', 'B.example,[fd00::5]', '--allowed-host=b.example')).toEqual([
      'b.example',
      '[fd00::5]',
    ]);
  });

  it.each([
    '*',
    '*.a.example',
    'a.example:5001',
    'http://a.example',
    'a.example/',
    '0.0.0.0',
    '[::]',
    '::1',
    'a b',
    '.a',
    '[x]',
  ])('are never %s', (name) => {
    expect(thrownBy(['--allowed-host', name])).toHaveProperty('exitCode', 1);
    expect(printed).toContain('is no name as callers send it');
  });
});
