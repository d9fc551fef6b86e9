import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { distributions, installByApt } from './distribution.ts';
import type { Environment } from './find-chrome.ts';
import { findProgram, isProgram, onPath } from './find-program.ts';

const LINUX_NAMES = ['firefox-esr', 'firefox', 'firefox-developer-edition', 'firefox-nightly'];
const LINUX_PATHS = ['/usr/lib/firefox-esr/firefox-esr', '/usr/lib/firefox/firefox', '/opt/firefox/firefox'];
const MAC_APPS = ['Firefox', 'Firefox Developer Edition', 'Firefox Nightly'];
const WINDOWS_FOLDERS = ['Mozilla Firefox', 'Firefox Developer Edition', 'Firefox Nightly'];

/**
 * The Firefox to test with: FIREFOX_PATH, or the first of this machine. As root on Debian (a container, a CI machine) it
 * installs Firefox ESR when there is none.
 *
 * @throws Error with the command that would install one
 */
export async function findFirefox(): Promise<string> {
  const { env, platform } = process;
  const chosen = env['FIREFOX_PATH'];
  if (chosen !== undefined && chosen !== '') {
    if (await isProgram(chosen)) return chosen;
    throw new Error(`FIREFOX_PATH is ${chosen}, and there is no program there.`);
  }
  const found = await findProgram(firefoxCandidates(platform, env));
  if (found !== undefined) return found;

  const osRelease = platform === 'linux' ? await readFile('/etc/os-release', 'utf8').catch(() => '') : '';
  // Ubuntu has no such package, and its firefox is a snap.
  if (process.getuid?.() === 0 && distributions(osRelease)[0] === 'debian') {
    await installByApt('firefox-esr', 'FIREFOX_PATH');
    const installed = await findProgram(firefoxCandidates(platform, env));
    if (installed !== undefined) return installed;
  }
  throw new Error(
    `No Firefox was found. ${installCommand(platform, osRelease)}, or set FIREFOX_PATH to the one you have.`,
  );
}

/** Where a Firefox may be, the likeliest first; an ESR before others, since it takes what is not signed. */
export function firefoxCandidates(platform: NodeJS.Platform, env: Environment): string[] {
  if (platform === 'win32') {
    return [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']]
      .filter((root) => root !== undefined)
      .flatMap((root) => WINDOWS_FOLDERS.map((folder) => path.win32.join(root, folder, 'firefox.exe')));
  }
  if (platform === 'darwin') {
    const roots = ['/Applications', ...(env['HOME'] === undefined ? [] : [`${env['HOME']}/Applications`])];
    return roots.flatMap((root) => MAC_APPS.map((app) => `${root}/${app}.app/Contents/MacOS/firefox`));
  }
  return [...onPath(LINUX_NAMES, env['PATH']), ...LINUX_PATHS];
}

function installCommand(platform: NodeJS.Platform, osRelease: string): string {
  if (platform === 'darwin') return 'Run: brew install --cask firefox';
  if (platform === 'win32') return 'Run: winget install Mozilla.Firefox.ESR';
  const families = distributions(osRelease);
  if (families[0] === 'ubuntu')
    return 'Ubuntu’s firefox is a snap, which cannot see the test’s profile; use Mozilla’s own';
  if (families.includes('debian')) return 'Run: sudo apt-get install -y firefox-esr';
  return 'Install Firefox ESR with your package manager';
}
