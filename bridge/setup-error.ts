import path from 'node:path';

/** What the person set up cannot work. The message says how to mend it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The sentence for a folder or file that could not be had while the bridge was set up; null for any other error. */
export function explainFileError(error: unknown, stateDir: string): string | null {
  const isOne =
    error instanceof Error &&
    'path' in error &&
    'syscall' in error &&
    ['mkdir', 'open', 'chmod'].includes(String(error.syscall));
  if (!isOne) return null;
  if (`${String(error.path)}${path.sep}`.startsWith(stateDir + path.sep))
    return `The state folder cannot be used (${error.message}). Mend that, or choose another with --state-dir.`;
  return `The bridge cannot be set up (${error.message}). Mend that first.`;
}
