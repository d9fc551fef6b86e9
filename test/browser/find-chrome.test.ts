import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { advice, candidates, findChrome, hasChromiumPackage } from './find-chrome.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
const UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n';
const MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
const ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n';

describe('candidates', () => {
  it('looks through PATH on Linux, for every name before the next', () => {
    const found = candidates('linux', { PATH: '/home/me/bin:/usr/bin' });
    expect(found[0]).toBe('/home/me/bin/google-chrome-stable');
    expect(found.indexOf('/usr/bin/google-chrome')).toBeLessThan(found.indexOf('/home/me/bin/chromium'));
    expect(found).toContain('/usr/bin/chromium');
  });

  it('leaves snaps out', () => {
    expect(candidates('linux', { PATH: '/snap/bin:/usr/bin' }).filter((file) => file.includes('snap'))).toEqual([]);
  });

  it("looks into the machine's and the person's applications on macOS", () => {
    const found = candidates('darwin', { HOME: '/Users/me' });
    expect(found).toContain('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
    expect(found).toContain('/Users/me/Applications/Chromium.app/Contents/MacOS/Chromium');
  });

  it('looks into the program folders that exist on Windows', () => {
    const found = candidates('win32', {
      PROGRAMFILES: 'C:\\Program Files',
      LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local',
    });
    expect(found).toContain('C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe');
    expect(found).toContain('C:\\Users\\me\\AppData\\Local\\Chromium\\Application\\chrome.exe');
    expect(found).toHaveLength(6);
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
    expect(advice(platform, osRelease)).toContain(command);
  });

  it('installs by itself only where the package is a real browser', () => {
    expect([DEBIAN, MINT, UBUNTU, ROCKY, ''].map(hasChromiumPackage)).toEqual([true, true, false, false, false]);
  });
});

describe('findChrome', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'find-chrome-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  it('takes CHROME_PATH before all others', async () => {
    const file = await program('my-chrome', '#!/bin/sh\n');
    vi.stubEnv('CHROME_PATH', file);
    await expect(findChrome()).resolves.toBe(file);
  });

  it('says so when CHROME_PATH leads nowhere', async () => {
    vi.stubEnv('CHROME_PATH', path.join(folder, 'missing'));
    await expect(findChrome()).rejects.toThrow(/CHROME_PATH is .*missing/);
  });

  it.runIf(process.platform === 'linux')("passes over Ubuntu's stub for the snap", async () => {
    await program('google-chrome-stable', '#!/bin/sh\nexec /snap/bin/chromium "$@"\n');
    const real = await program('google-chrome', '#!/bin/sh\n');
    vi.stubEnv('CHROME_PATH', '');
    vi.stubEnv('PATH', folder);
    await expect(findChrome()).resolves.toSatisfy((found: string) => found === real || found.startsWith('/usr/'));
  });

  async function program(name: string, text: string): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, text);
    await chmod(file, 0o755);
    return file;
  }
});
