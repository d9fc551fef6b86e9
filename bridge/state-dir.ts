import path from 'node:path';

/** Where programs of this platform keep their state. */
export function findStateDir(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const { join, isAbsolute } = platform === 'win32' ? path.win32 : path.posix;
  // The specification of XDG wants a relative path ignored; empty is as good as unset.
  const absolute = (folder: string | undefined) => (folder && isAbsolute(folder) ? folder : undefined);
  const folderOf = (): string => {
    if (platform === 'win32') return absolute(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local');
    if (platform === 'darwin') return join(home, 'Library', 'Application Support');
    return absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state');
  };
  return join(folderOf(), 'puter-bridge');
}
