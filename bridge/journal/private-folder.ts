import { chmodSync, closeSync, fchmodSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { hasCode } from '../has-code.ts';

/** What is in the folder could be read, or was put there, by somebody else. The message says how to mend it. */
export class InsecureFolderError extends Error {
  override readonly name = 'InsecureFolderError';
}

/** By which a person named the place, and can name another. */
export type PlaceOption = '--state-dir' | '--socket' | '--log-file';

/** Makes the folder where it is missing, for this person alone. Throws `InsecureFolderError` where others have a way in. */
export function openPrivateFolder(folder: string, option: PlaceOption = '--state-dir'): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A umask may have taken even more away.
  if (made !== undefined) chmodSync(folder, 0o700);
  check(folder, 'directory', option);
}

/** Makes the file where it is missing, and returns its path. Throws `InsecureFolderError` where others have a way in. */
export function openPrivateFile(folder: string, name: string, option: PlaceOption = '--state-dir'): string {
  const path = join(folder, name);
  try {
    // `wx`: what is there already keeps its mode, and is looked at below.
    const file = openSync(path, 'wx', 0o600);
    fchmodSync(file, 0o600);
    closeSync(file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  check(path, 'file', option);
  return path;
}

type Kind = 'directory' | 'file';

const whatItMustBe: Record<Kind, string> = {
  directory: 'a folder itself, not a link or anything else',
  file: 'a regular file itself, not a link, a device or anything else',
};

function check(path: string, kind: Kind, option: PlaceOption): void {
  // Windows guards what lies in the person's own folder by other means than modes and owners.
  if (process.platform === 'win32') return;
  const stats = lstatSync(path);
  // What bears a name of ours in a folder of ours is nothing that anybody else needs.
  const isOurs = kind === 'file' && option === '--state-dir';
  const elsewhere = nameAnother[option](path);
  if (kind === 'directory' ? !stats.isDirectory() : !stats.isFile()) {
    throw new InsecureFolderError(`${path} must be ${whatItMustBe[kind]}. ${isOurs ? 'Move it away.' : elsewhere}`);
  }
  const { uid } = stats;
  if (uid !== process.getuid?.()) throw new InsecureFolderError(`${path} belongs to another user. ${elsewhere}`);
  if ((stats.mode & 0o077) === 0) return;
  const chmod = `chmod ${kind === 'directory' ? '700' : '600'} '${path}'`;
  // Whoever names a socket may mean a folder that much else needs, like /tmp, which the sticky bit shows.
  const isShared = option === '--socket' || (stats.mode & 0o1000) !== 0;
  const orClose = isShared ? '' : ` Or, if nothing but the bridge uses this one, close it to them: ${chmod}`;
  throw new InsecureFolderError(
    `Other users can open ${path}. ${isOurs ? `Close it to them: ${chmod}` : `${elsewhere}${orClose}`}`,
  );
}

const nameAnother: Record<PlaceOption, (path: string) => string> = {
  '--state-dir': () => 'Choose another folder with --state-dir.',
  '--socket': (folder) =>
    `Give the socket a folder of its own: --socket '${join(folder, 'puter-bridge', 'bridge.sock')}'`,
  '--log-file': () => 'Choose another file with --log-file.',
};
