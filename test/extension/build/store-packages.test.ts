import { readFile } from 'node:fs/promises';

import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cmd } from 'web-ext';

import { packForStores } from '../../../extension/build/store-packages.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../temporary-folder.ts';

let folders: TemporaryFolder[];
let files: string[];
beforeAll(async () => {
  folders = [await createTemporaryFolder('packages'), await createTemporaryFolder('packages')];
  [files = []] = await Promise.all(folders.map(({ dir }) => packForStores(dir)));
}, 60_000);
afterAll(() => Promise.all(folders.map(({ remove }) => remove())));

const names = ['puter-bridge-chrome.zip', 'puter-bridge-firefox.zip', 'puter-bridge-source.zip', 'build-notes.md'];
const read = (name: string, time = 0): Promise<Buffer> => readFile(`${folders[time]?.dir}/${name}`);
const unpack = async (name: string) => unzipSync(await read(name));
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

it('are a zip for each store, the source and the notes on building it', () => {
  expect(files.map((file) => file.split('/').at(-1))).toEqual(names);
});

it.each(names)('%s has the same bytes each time', async (name) => {
  const [first, second] = await Promise.all([read(name, 0), read(name, 1)]);
  expect(first.length).toBeGreaterThan(1000);
  expect(first.equals(second)).toBe(true);
});

it.each(['chrome', 'firefox'])('hold what is built for %s, and nothing else', async (browser) => {
  const packed = await unpack(`puter-bridge-${browser}.zip`);
  expect(Object.keys(packed)).toEqual(
    expect.arrayContaining(['manifest.json', 'lane.js', 'popup.html', 'LICENCES.txt']),
  );
  for (const [name, bytes] of Object.entries(packed)) {
    if (name === 'manifest.json') continue;
    const built = await readFile(`${folders[0]?.dir}/unpacked/extension-${browser}/${name}`);
    expect({ name, isSame: built.equals(bytes) }).toEqual({ name, isSame: true });
  }
});

it('leave Chrome’s id to its store, which takes no key', async () => {
  const manifest = (await unpack('puter-bridge-chrome.zip'))['manifest.json'];
  expect(JSON.parse(text(manifest))).not.toHaveProperty('key');
  expect(JSON.parse(text(manifest))).toHaveProperty('minimum_chrome_version');
});

it('have every file in the source that it takes to build them, and none that was built', async () => {
  const source = await unpack('puter-bridge-source.zip');
  const needed = [
    'package.json',
    'package-lock.json',
    'manifest.json',
    'extension/build/main.ts',
    'shared/protocol.ts',
  ];
  expect(Object.keys(source)).toEqual(expect.arrayContaining(needed));
  expect(Object.keys(source).filter((name) => /^(node_modules|dist)\//.test(name))).toEqual([]);
  expect(text(source['extension/build/build-notes.md'])).toBe((await read('build-notes.md')).toString());
});

it('are found without fault by web-ext lint in Firefox’s', { timeout: 60_000 }, async () => {
  const sourceDir = `${folders[0]?.dir}/puter-bridge-firefox.zip`;
  const found = await cmd.lint(
    { sourceDir, artifactsDir: `${folders[0]?.dir}`, output: 'none', ignoreFiles: [] },
    { shouldExitProgram: false },
  );
  expect([found.errors, found.warnings, found.notices]).toEqual([[], [], []]);
});
