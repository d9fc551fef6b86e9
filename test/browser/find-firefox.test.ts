import { afterEach, expect, it, vi } from 'vitest';

import { findFirefox, firefoxCandidates } from './find-firefox.ts';

afterEach(() => void vi.unstubAllEnvs());

it('looks for an ESR before others on Linux, and for no snap', () => {
  const found = firefoxCandidates('linux', { PATH: '/snap/bin:/home/me/bin' });
  expect(found[0]).toBe('/home/me/bin/firefox-esr');
  expect(found.indexOf('/usr/bin/firefox-esr')).toBeLessThan(found.indexOf('/home/me/bin/firefox'));
  expect(found.filter((file) => file.includes('snap'))).toEqual([]);
});

it('looks into the applications on macOS, and the program folders on Windows', () => {
  expect(firefoxCandidates('darwin', { HOME: '/Users/me' })).toContain(
    '/Applications/Firefox.app/Contents/MacOS/firefox',
  );
  expect(firefoxCandidates('win32', { PROGRAMFILES: 'C:\\Program Files' })).toContain(
    'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
  );
});

it('takes FIREFOX_PATH before all others, and says so where it leads nowhere', async () => {
  vi.stubEnv('FIREFOX_PATH', process.execPath);
  await expect(findFirefox()).resolves.toBe(process.execPath);
  vi.stubEnv('FIREFOX_PATH', '/nowhere/firefox');
  await expect(findFirefox()).rejects.toThrow('FIREFOX_PATH is /nowhere/firefox');
});
