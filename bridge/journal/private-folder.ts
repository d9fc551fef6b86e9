import { chmodSync, closeSync, fchmodSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** What is in the folder could be read, or was put there, by somebody else. The message says how to mend it. */
export class InsecureFolderError extends Error {
  override readonly name = 'InsecureFolderError';
}

/** Makes the folder where it is missing, for this person alone. Throws `InsecureFolderError` where others have a way in. */
export function openPrivateFolder(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A umask may have taken even more away.
  if (made !== undefined) chmodSync(folder, 0o700);
  check(folder, 'directory');
}

/** Makes the file where it is missing, and returns its path. Throws `InsecureFolderError` where others have a way in. */
export function openPrivateFile(folder: string, name: string): string {
  const path = join(folder, name);
  try {
    // `wx`: what is there already keeps its mode, and is looked at below.
    const file = openSync(path, 'wx', 0o600);
    fchmodSync(file, 0o600);
    closeSync(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  check(path, 'file');
  return path;
}

function check(path: string, kind: 'directory' | 'file'): void {
  // Windows guards what lies in the person's own folder by other means than modes and owners.
  if (process.platform === 'win32') return;
  const stats = lstatSync(path);
  if (kind === 'directory' ? !stats.isDirectory() : !stats.isFile()) {
    throw new InsecureFolderError(`${path} must be a ${kind} itself, not a link or anything else. Move it away.`);
  }
  const { uid } = stats;
  if (uid !== process.getuid?.()) {
    throw new InsecureFolderError(`${path} belongs to another user. Choose another folder with --state-dir.`);
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = kind === 'directory' ? '700' : '600';
    throw new InsecureFolderError(`Other users can open ${path}. Close it to them: chmod ${mode} '${path}'`);
  }
}
