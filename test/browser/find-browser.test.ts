import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { advice, candidates, findBrowser } from './find-browser.ts';
import { distributions } from './distribution.ts';
import { chromium, firefox, type Make } from './makes.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
const UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n';
const MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
const ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n';

const packagedOn = ({ isPackaged }: Make): string[] =>
  [DEBIAN, MINT, UBUNTU, ROCKY, ''].filter((osRelease) => isPackaged(distributions(osRelease)));

describe('candidates', () => {
  it('looks through PATH on Linux, for every name before the next', () => {
    const found = candidates(chromium, 'linux', { PATH: '/home/me/bin:/usr/bin' });
    expect(found[0]).toBe('/home/me/bin/google-chrome-stable');
    expect(found.indexOf('/usr/bin/google-chrome')).toBeLessThan(found.indexOf('/home/me/bin/chromium'));
    expect(found).toContain('/usr/bin/chromium');
  });

  it('leaves snaps out', () => {
    expect(
      candidates(chromium, 'linux', { PATH: '/snap/bin:/usr/bin' }).filter((file) => file.includes('snap')),
    ).toEqual([]);
  });

  it('takes an ESR of Firefox before others, since it takes what is not signed', () => {
    const found = candidates(firefox, 'linux', { PATH: '/snap/bin:/home/me/bin' });
    expect(found[0]).toBe('/home/me/bin/firefox-esr');
    expect(found.indexOf('/usr/bin/firefox-esr')).toBeLessThan(found.indexOf('/home/me/bin/firefox'));
    expect(found.filter((file) => file.includes('snap'))).toEqual([]);
  });

  it("looks into the machine's and the person's applications on macOS", () => {
    const found = candidates(chromium, 'darwin', { HOME: '/Users/me' });
    expect(found).toContain('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
    expect(found).toContain('/Users/me/Applications/Chromium.app/Contents/MacOS/Chromium');
    const firefoxes = candidates(firefox, 'darwin', { HOME: '/Users/me' });
    expect(firefoxes).toContain('/Applications/Firefox.app/Contents/MacOS/firefox');
  });

  it('looks into the program folders that exist on Windows', () => {
    const found = candidates(chromium, 'win32', {
      PROGRAMFILES: 'C:\\Program Files',
      LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local',
    });
    expect(found).toContain('C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe');
    expect(found).toContain('C:\\Users\\me\\AppData\\Local\\Chromium\\Application\\chrome.exe');
    expect(found).toHaveLength(6);
    const firefoxes = candidates(firefox, 'win32', { PROGRAMFILES: 'C:\\Program Files' });
    expect(firefoxes).toContain('C:\\Program Files\\Mozilla Firefox\\firefox.exe');
  });
});

describe('advice', () => {
  it.each([
    ['darwin', '', 'brew install --cask google-chrome'],
    ['win32', '', 'winget install Google.Chrome'],
    ['linux', DEBIAN, 'sudo apt-get install -y chromium'],
    ['linux', MINT, 'sudo apt-get install -y chromium'],
    ['linux', UBUNTU, 'google-chrome-stable_current_amd64.deb'],
    ['linux', ROCKY, 'sudo dnf install -y chromium'],
    ['linux', 'ID=arch\n', 'sudo pacman -S chromium'],
    ['linux', '', 'package manager'],
  ] as const)('names the command on %s %j', (platform, osRelease, command) => {
    expect(advice(chromium, platform, osRelease)).toContain(command);
  });

  it('installs by itself only where the package is a real browser', () => {
    expect(packagedOn(chromium)).toEqual([DEBIAN, MINT]);
    expect(packagedOn(firefox)).toEqual([DEBIAN]);
  });
});

describe.each([chromium, firefox])('findBrowser of $title', (make) => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'find-browser-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  it(`takes ${make.variable} before all others`, async () => {
    const file = await program('my-browser', '#!/bin/sh\n');
    vi.stubEnv(make.variable, file);
    await expect(findBrowser(make)).resolves.toBe(file);
  });

  it(`says so when ${make.variable} leads nowhere`, async () => {
    vi.stubEnv(make.variable, path.join(folder, 'missing'));
    await expect(findBrowser(make)).rejects.toThrow(new RegExp(`${make.variable} is .*missing`));
  });

  it.runIf(process.platform === 'linux')("passes over Ubuntu's stub for the snap", async () => {
    const [first = '', second = ''] = make.linuxNames;
    await program(first, '#!/bin/sh\nexec /snap/bin/browser "$@"\n');
    const real = await program(second, '#!/bin/sh\n');
    vi.stubEnv(make.variable, '');
    vi.stubEnv('PATH', folder);
    await expect(findBrowser(make)).resolves.toSatisfy((found: string) => found === real || found.startsWith('/usr/'));
  });

  async function program(name: string, text: string): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, text);
    await chmod(file, 0o755);
    return file;
  }
});
