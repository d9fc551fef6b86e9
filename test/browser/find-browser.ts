import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { distributions, installByApt } from './distribution.ts';
import { findProgram, isProgram, onPath } from './find-program.ts';
import type { Make } from './makes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The browser to test with: the one that the make's variable names, or the first of this machine. As root on Debian (a
 * container, a CI machine) it installs one when there is none.
 *
 * @throws Error with the command that would install one
 */
export async function findBrowser(make: Make): Promise<string> {
  const { env, platform } = process;
  const chosen = env[make.variable];
  if (chosen !== undefined && chosen !== '') {
    if (await isProgram(chosen)) return chosen;
    throw new Error(`${make.variable} is ${chosen}, and there is no program there.`);
  }
  const found = await findProgram(candidates(make, platform, env));
  if (found !== undefined) return found;

  const osRelease = platform === 'linux' ? await readFile('/etc/os-release', 'utf8').catch(() => '') : '';
  if (process.getuid?.() === 0 && make.isPackaged(distributions(osRelease))) {
    await installByApt(make.debianPackage, make.variable);
    const installed = await findProgram(candidates(make, platform, env));
    if (installed !== undefined) return installed;
  }
  throw new Error(advice(make, platform, osRelease));
}

/** Where a browser may be, the likeliest first. */
export function candidates(make: Make, platform: NodeJS.Platform, env: Environment): string[] {
  if (platform === 'win32') {
    return [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']]
      .filter((root) => root !== undefined)
      .flatMap((root) => make.windowsPaths.map((rest) => path.win32.join(root, rest)));
  }
  if (platform === 'darwin') {
    const roots = ['/Applications', ...(env['HOME'] === undefined ? [] : [`${env['HOME']}/Applications`])];
    return roots.flatMap((root) => make.macPaths.map((rest) => `${root}/${rest}`));
  }
  return [...onPath(make.linuxNames, env['PATH']), ...make.linuxPaths];
}

/** A sentence that names the one command to get a browser on this system. */
export function advice({ title, variable, install }: Make, platform: NodeJS.Platform, osRelease: string): string {
  const how =
    platform === 'darwin' || platform === 'win32' ? install[platform] : install.linux(distributions(osRelease));
  return `No ${title} was found. ${how}, or set ${variable} to the one you have.`;
}
