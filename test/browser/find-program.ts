import { access, constants, readFile, stat } from 'node:fs/promises';

const SCRIPT_BYTES = 64 * 1024;

/** Where programs of these names may be on Linux: each name everywhere before the next. */
export function onPath(names: readonly string[], path = ''): string[] {
  const folders = new Set([...path.split(':'), '/usr/local/bin', '/usr/bin']);
  // A snap lives in a /tmp of its own and sees neither our profile nor the preferences in it.
  const usable = [...folders].filter((folder) => folder !== '' && !folder.startsWith('/snap'));
  return names.flatMap((name) => usable.map((folder) => `${folder}/${name}`));
}

/** The first of the files that can be run. */
export async function findProgram(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await isProgram(file)) return file;
  return undefined;
}

export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    const { size } = await stat(file);
    // On Ubuntu /usr/bin/chromium-browser and firefox are scripts that start the snap, or ask you to install it.
    return size > SCRIPT_BYTES || !(await readFile(file, 'latin1')).includes('/snap/');
  } catch {
    return false;
  }
}
