import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };

import {
  defaultSettings,
  isLoopback,
  lanesByPlan,
  readSettings,
  settingsSchema,
  type Settings,
} from '../../extension/settings.ts';

const own: Settings = {
  bridgeAddress: 'http://127.0.0.1:5002',
  defaultModel: 'gpt-5',
  lanes: 7,
  apiOrigin: 'https://api.puter.example',
  guiOrigin: 'http://puter.localhost:4100',
};

describe('stored settings', () => {
  it('are read as they were saved', () => {
    expect(readSettings(own)).toEqual(own);
    expect(readSettings(defaultSettings)).toEqual(defaultSettings);
  });

  it.each<[keyof Settings, unknown]>([
    ['bridgeAddress', ''],
    ['bridgeAddress', 'http://127.0.0.1:5002/path'],
    ['bridgeAddress', 'http://127.0.0.1:65536'],
    ['bridgeAddress', 'http://127.0.0.1:6000'],
    ['bridgeAddress', 5002],
    ['bridgeAddress', null],
    ['lanes', 0],
    ['lanes', 21],
    ['lanes', 1.5],
    ['lanes', '3'],
    ['lanes', 'Auto'],
    ['lanes', Number.NaN],
    ['lanes', null],
    ['defaultModel', 'm'.repeat(201)],
    ['defaultModel', 5],
    ['apiOrigin', 'http://puter.example'],
    ['apiOrigin', ''],
    ['guiOrigin', 'https://puter.example/path'],
    ['guiOrigin', undefined],
  ])('fall back one by one: only %s where it is %j', (name, value) => {
    expect(readSettings({ ...own, [name]: value })).toEqual({ ...own, [name]: defaultSettings[name] });
  });

  it('are complete and valid whatever was stored', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ bridgeAddress: fc.oneof(fc.webUrl(), fc.webAuthority(), fc.string()), apiOrigin: fc.webUrl() }),
    );
    fc.assert(
      fc.property(anything, (stored) => {
        const settings = readSettings(stored);
        expect(v.parse(settingsSchema, settings)).toEqual(settings);
      }),
    );
  });

  it('may leave the number of lanes to the plan', () => {
    expect(readSettings({ ...own, lanes: 'auto' })).toEqual({ ...own, lanes: 'auto' });
  });

  it('lose what the settings do not name', () => {
    expect(readSettings({ ...own, token: 'secret' })).toEqual(own);
  });

  it('are read without the spaces around them', () => {
    expect(readSettings({ defaultModel: ' gpt-5 ', apiOrigin: ' https://api.puter.example/ ' })).toMatchObject({
      defaultModel: 'gpt-5',
      apiOrigin: 'https://api.puter.example',
    });
  });
});

/** What is wrong with a value, as the keys of the sentences; empty where nothing is. */
const problems = (name: keyof Settings, value: unknown): string[] =>
  (v.safeParse(settingsSchema.entries[name], value).issues ?? []).map(({ message }) => message);

describe('the address of the bridge', () => {
  it.each([
    ['http://127.0.0.1:5001', 'http://127.0.0.1:5001'],
    ['127.0.0.1:5001', 'http://127.0.0.1:5001'],
    [' 127.0.0.1:5001/ ', 'http://127.0.0.1:5001'],
    ['localhost', 'http://127.0.0.1'],
    ['localhost:5002', 'http://127.0.0.1:5002'],
    ['http://localhost:5002/', 'http://127.0.0.1:5002'],
    ['HTTP://LOCALHOST:5002', 'http://127.0.0.1:5002'],
    ['https://localhost:5002', 'https://127.0.0.1:5002'],
    ['localhost.example:5002', 'http://localhost.example:5002'],
    ['http://[::1]:5001', 'http://[::1]:5001'],
    ['http://127.0.0.1:80', 'http://127.0.0.1'],
    ['bridge.example:8080', 'http://bridge.example:8080'],
    ['https://bridge.example', 'https://bridge.example'],
    ['192.168.0.7:5001', 'http://192.168.0.7:5001'],
    ['5002', 'http://127.0.0.1:5002'],
    [' :5002 ', 'http://127.0.0.1:5002'],
    ['50020', 'http://127.0.0.1:50020'],
    ['BRIDGE.Example:8080', 'http://bridge.example:8080'],
    ['http://[0:0:0:0:0:0:0:1]:5001', 'http://[::1]:5001'],
    ['http://bücher.example', 'http://xn--bcher-kva.example'],
  ])('“%s” is taken as %s', (given, address) => {
    expect(v.parse(settingsSchema.entries.bridgeAddress, given)).toBe(address);
  });

  it.each([
    '',
    ' ',
    'http://',
    'http://127.0.0.1:5001/api',
    '127.0.0.1:5001/api',
    'http://127.0.0.1:5001/?x',
    'http://127.0.0.1:5001/#x',
    'http://me@127.0.0.1:5001',
    'me:secret@127.0.0.1:5001',
    'http://:secret@127.0.0.1:5001',
    'http://127.0.0.1:65536',
    'http://127.0.0.1:port',
    'ws://127.0.0.1:5001',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'not an address',
    'http://a b',
    '5',
    '500200',
    '65536',
    '80',
    '127',
    '127:5001',
    '127.1:5001',
    '192.168',
    'http://5002',
    'http://2130706433:5001',
    'http://0x7f.1:5001',
    'http://127.0.0.01',
  ])('“%s” is refused with one sentence', (given) => {
    expect(problems('bridgeAddress', given)).toEqual(['invalid_address']);
  });

  it.each(['http://127.0.0.1:6000', 'localhost:10080', 'https://bridge.example:5060'])(
    '“%s” is refused, since browsers block that port',
    (given) => {
      expect(problems('bridgeAddress', given)).toEqual(['invalid_port']);
    },
  );

  it('is taken again as it was taken', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webAuthority({ withPort: true }), fc.webUrl(), fc.string()), (given) => {
        const first = v.safeParse(settingsSchema.entries.bridgeAddress, given);
        fc.pre(first.success);
        expect(v.parse(settingsSchema.entries.bridgeAddress, first.output)).toBe(first.output);
      }),
    );
  });
});

describe('the calls at once', () => {
  it.each(['auto', 1, 2, 19, 20])('may be %s', (lanes) => {
    expect(problems('lanes', lanes)).toEqual([]);
  });

  it.each([0, -1, 21, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', '', 'many', null, undefined, []])(
    'may not be %j, and one sentence says so',
    (lanes) => {
      expect(problems('lanes', lanes)).toEqual(['invalid_lanes']);
    },
  );

  it('may be as many as the best plan lets run, and each plan’s number is one of them', () => {
    for (const lanes of Object.values(lanesByPlan)) expect(problems('lanes', lanes)).toEqual([]);
    expect(problems('lanes', Math.max(...Object.values(lanesByPlan)) + 1)).toEqual(['invalid_lanes']);
  });
});

it('a model’s name may be empty, and has at most 200 characters without the spaces around them', () => {
  for (const name of ['', '  ', 'm'.repeat(200), ` ${'m'.repeat(200)} `])
    expect(problems('defaultModel', name)).toEqual([]);
  expect(problems('defaultModel', 'm'.repeat(201))).toEqual(['invalid_model']);
});

it('a problem is the key of a sentence, whatever the value', () => {
  for (const name of Object.keys(defaultSettings) as (keyof Settings)[]) {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.double()), (value) => {
        if (typeof value === 'number' && name !== 'lanes') return;
        for (const problem of problems(name, value)) expect(Object.keys(catalogue)).toContain(problem);
      }),
    );
  }
});

describe('what stays on this machine', () => {
  it.each([
    'http://127.0.0.1:5001',
    'http://127.1.2.3',
    'http://localhost',
    'http://a.localhost:1',
    'https://[::1]:5001',
  ])('%s does', (address) => expect(isLoopback(address)).toBe(true));

  it.each([
    'http://192.168.0.7',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://[::2]',
    'nonsense',
    '',
  ])('%s does not', (address) => expect(isLoopback(address)).toBe(false));
});

describe('an address of Puter', () => {
  const accepted = (apiOrigin: string) => v.safeParse(settingsSchema.entries.apiOrigin, apiOrigin);

  it.each([
    ['https://api.puter.com', 'https://api.puter.com'],
    ['https://api.puter.com/', 'https://api.puter.com'],
    ['HTTPS://API.Puter.com:443', 'https://api.puter.com'],
    ['https://puter.example:8443', 'https://puter.example:8443'],
    ['http://localhost:4100', 'http://localhost:4100'],
    ['http://api.puter.localhost:4100', 'http://api.puter.localhost:4100'],
    ['http://127.0.0.1', 'http://127.0.0.1'],
    ['http://127.1.2.3:80', 'http://127.1.2.3'],
    ['http://[::1]:4100', 'http://[::1]:4100'],
  ])('%s is taken as %s', (given, origin) => {
    expect(accepted(given)).toMatchObject({ success: true, output: origin });
  });

  it.each([
    'http://api.puter.com',
    'http://localhost.evil.com',
    'http://127.0.0.1.evil.com',
    'http://evil-localhost',
    'http://192.168.0.1',
    'http://0.0.0.0',
    'http://[::]',
    'http://[::ffff:10.0.0.1]',
    'http://127.1:4100',
    'https://5002',
    'https://puter.com/api',
    'https://puter.com/?x',
    'https://puter.com/#x',
    'https://user@puter.com',
    'https://user:password@puter.com',
    'https://:password@puter.com',
    'ftp://puter.com',
    'ws://localhost',
    'javascript:alert(1)',
    'data:,x',
    'file:///etc/passwd',
    'chrome-extension://iklcdnhalpoojggnomchbmcmhieopleh',
    'puter.com',
    'https://',
    '',
  ])('%s is refused with a sentence', (given) => {
    const [issue] = accepted(given).issues ?? [];
    expect(issue?.message).toBe('invalid_origin');
  });

  it('is refused with another sentence where browsers block its port', () => {
    expect(problems('apiOrigin', 'http://localhost:6000')).toEqual(['invalid_port']);
  });
});
