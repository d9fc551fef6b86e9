import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { build } from './build.ts';
import { forStore } from './manifest.ts';
import { readFolder, zip } from './zip.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds what the stores take into the folder `target`: a zip for each browser, and for the reviewers of Firefox's the
 * source and the notes on building it. Needs git, which knows what belongs to the source. Returns the files.
 */
export async function packForStores(target: string): Promise<string[]> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const folders = await build(`${target}/unpacked`);
  const [chrome, firefox] = await Promise.all([readFolder(folders.chrome), readFolder(folders.firefox)]);
  const manifest = Buffer.from(chrome.get('manifest.json') ?? []).toString();
  chrome.set('manifest.json', Buffer.from(forStore(manifest)));
  const packages = {
    'puter-bridge-chrome.zip': zip(chrome),
    'puter-bridge-firefox.zip': zip(firefox),
    'puter-bridge-source.zip': zip(await readSource()),
    'build-notes.md': await readFile(`${root}extension/build/build-notes.md`),
  };
  await Promise.all(Object.entries(packages).map(([name, bytes]) => writeFile(`${target}/${name}`, bytes)));
  return Object.keys(packages).map((name) => `${target}/${name}`);
}

async function readSource(): Promise<Map<string, Uint8Array>> {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z'], { cwd: root });
  const names = stdout.split('\0').filter((name) => name !== '');
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(root + name)] as const)));
}
