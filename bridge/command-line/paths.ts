import path from 'node:path';

/** Where programs of this platform keep their state. */
export function findStateDir(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const { join } = path[platform === 'win32' ? 'win32' : 'posix'];
  const folderOf = (): string => {
    if (platform === 'win32') return absolute(platform, env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local');
    if (platform === 'darwin') return join(home, 'Library', 'Application Support');
    return absolute(platform, env['XDG_STATE_HOME']) ?? join(home, '.local', 'state');
  };
  return join(folderOf(), 'puter-bridge');
}

/** Where programs of a person have their services, below which each supervisor has a folder of its own. */
export function findConfigFolder(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  if (platform === 'darwin') return path.posix.join(home, 'Library');
  return absolute(platform, env['XDG_CONFIG_HOME']) ?? path.join(home, '.config');
}

/** The specification of XDG wants a relative path ignored; empty is as good as unset. */
function absolute(platform: NodeJS.Platform, folder: string | undefined): string | undefined {
  const { isAbsolute } = path[platform === 'win32' ? 'win32' : 'posix'];
  return folder && isAbsolute(folder) ? folder : undefined;
}
