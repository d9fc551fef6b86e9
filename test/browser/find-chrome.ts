import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { distributions, installByApt } from './distribution.ts';
import { findProgram, isProgram, onPath } from './find-program.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const LINUX_NAMES = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'microsoft-edge-stable',
  'microsoft-edge',
];
const LINUX_PATHS = [
  '/opt/google/chrome/chrome',
  '/opt/microsoft/msedge/msedge',
  '/usr/lib/chromium/chromium',
  '/usr/lib64/chromium-browser/chromium-browser',
];
const MAC_APPS = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
const WINDOWS_PATHS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

/**
 * The browser to test with: CHROME_PATH, or the first Chrome, Chromium or Edge of this machine. As root on Debian
 * (a container, a CI machine) it installs Chromium when there is none.
 *
 * @throws Error with the command that would install one
 */
export async function findChrome(): Promise<string> {
  const { env, platform } = process;
  const chosen = env['CHROME_PATH'];
  if (chosen !== undefined && chosen !== '') {
    if (await isProgram(chosen)) return chosen;
    throw new Error(`CHROME_PATH is ${chosen}, and there is no program there.`);
  }
  const found = await findProgram(candidates(platform, env));
  if (found !== undefined) return found;

  const osRelease = platform === 'linux' ? await readFile('/etc/os-release', 'utf8').catch(() => '') : '';
  if (process.getuid?.() === 0 && hasChromiumPackage(osRelease)) {
    await installByApt('chromium', 'CHROME_PATH');
    const installed = await findProgram(candidates(platform, env));
    if (installed !== undefined) return installed;
  }
  throw new Error(advice(platform, osRelease));
}

/** Where a browser may be, the likeliest first. */
export function candidates(platform: NodeJS.Platform, env: Environment): string[] {
  if (platform === 'win32') {
    return [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']]
      .filter((root) => root !== undefined)
      .flatMap((root) => WINDOWS_PATHS.map((rest) => path.win32.join(root, rest)));
  }
  if (platform === 'darwin') {
    const roots = ['/Applications', ...(env['HOME'] === undefined ? [] : [`${env['HOME']}/Applications`])];
    return roots.flatMap((root) => MAC_APPS.map((app) => `${root}/${app}.app/Contents/MacOS/${app}`));
  }
  return [...onPath(LINUX_NAMES, env['PATH']), ...LINUX_PATHS];
}

/** A sentence that names the one command to get a browser on this system. */
export function advice(platform: NodeJS.Platform, osRelease: string): string {
  const command = installCommand(platform, osRelease);
  return `No Chrome, Chromium or Edge was found. ${command}, or set CHROME_PATH to the one you have.`;
}

function installCommand(platform: NodeJS.Platform, osRelease: string): string {
  if (platform === 'darwin') return 'Run: brew install --cask google-chrome';
  if (platform === 'win32') return 'Run: winget install Google.Chrome';
  const families = distributions(osRelease);
  if (families[0] === 'ubuntu') {
    const deb = 'google-chrome-stable_current_amd64.deb';
    return `Ubuntu's chromium is a snap, which cannot see the test's profile; run: wget https://dl.google.com/linux/direct/${deb} && sudo apt-get install -y ./${deb}`;
  }
  if (families.includes('debian') || families.includes('ubuntu')) return 'Run: sudo apt-get install -y chromium';
  if (families.includes('fedora') || families.includes('rhel')) return 'Run: sudo dnf install -y chromium';
  if (families.includes('arch')) return 'Run: sudo pacman -S chromium';
  if (families.includes('suse') || families.includes('opensuse')) return 'Run: sudo zypper install chromium';
  if (families.includes('alpine')) return 'Run: sudo apk add chromium';
  return 'Install Chromium with your package manager';
}

/** Whether `apt-get install chromium` brings a real browser: on Debian and its kin, and not Ubuntu's stub for a snap. */
export function hasChromiumPackage(osRelease: string): boolean {
  const families = distributions(osRelease);
  return families[0] !== 'ubuntu' && families.some((family) => family === 'debian' || family === 'ubuntu');
}
