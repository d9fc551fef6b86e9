import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { zipSync } from 'fflate';

/** The beginning of time in a zip, which keeps it as clocks on the wall show it: so it is the same everywhere. */
const mtime = new Date(1980, 0, 1);

/** The same bytes of the same contents, wherever and whenever they are packed. */
export function zip(contents: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...contents].sort(([a], [b]) => (a < b ? -1 : 1));
  return zipSync(Object.fromEntries(entries.map(([name, bytes]) => [name, [bytes, { mtime, level: 9 }]])));
}

/** All files of a folder, by their paths in it with slashes. */
export async function readFolder(folder: string): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((it) => it.isFile()).map((it) => path.join(it.parentPath, it.name));
  const nameOf = (file: string) => path.relative(folder, file).replaceAll(path.sep, '/');
  return new Map(await Promise.all(files.map(async (file) => [nameOf(file), await readFile(file)] as const)));
}
