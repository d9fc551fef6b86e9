import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { defaultSettings, readSettings, settingsSchema, type Settings } from '../../extension/settings.ts';

const own: Settings = {
  bridgePort: 5002,
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
    ['bridgePort', 0],
    ['bridgePort', 65_536],
    ['bridgePort', 5001.5],
    ['bridgePort', Number.NaN],
    ['bridgePort', '5002'],
    ['lanes', 0],
    ['lanes', 21],
    ['lanes', 1.5],
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
    const anything = fc.oneof(fc.anything(), fc.record({ bridgePort: fc.anything(), apiOrigin: fc.webUrl() }));
    fc.assert(
      fc.property(anything, (stored) => {
        const settings = readSettings(stored);
        expect(v.parse(settingsSchema, settings)).toEqual(settings);
      }),
    );
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
    'https://puter.com/api',
    'https://puter.com/?x',
    'https://puter.com/#x',
    'https://user@puter.com',
    'https://user:password@puter.com',
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
    expect(issue?.message).toBe('Give an https:// address without a path (http:// only for this machine).');
  });
});

it('says the limits of each number in the sentence that refuses it', () => {
  for (const [name, limits] of [
    ['bridgePort', [1, 65_535]],
    ['lanes', [1, 20]],
  ] as const) {
    const schema = settingsSchema.entries[name];
    for (const limit of limits) expect(v.is(schema, limit)).toBe(true);
    for (const wrong of [limits[0] - 1, limits[1] + 1, 1.5, '5', null]) {
      const [issue] = v.safeParse(schema, wrong).issues ?? [];
      expect(issue?.message).toContain(`from ${limits[0]} to ${limits[1]}`);
    }
  }
});
