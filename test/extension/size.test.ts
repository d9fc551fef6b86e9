import { readdir, readFile } from 'node:fs/promises';
import { deflateRawSync, gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { build } from '../../extension/build/build.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';

/** What a person downloads, in bytes, and what the popup loads before it shows something. */
describe('the built extension', () => {
  let folder: TemporaryFolder;
  const built = new Map<string, Buffer>();
  beforeAll(async () => {
    folder = await createTemporaryFolder('size');
    const { chrome } = await build(folder.dir);
    for (const entry of await readdir(chrome, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) built.set(entry.name, await readFile(`${entry.parentPath}/${entry.name}`));
  });
  afterAll(() => folder?.remove());

  it('packs into 100 KB beside its lane, which is puter.js', () => {
    const own = [...built].filter(([name]) => name !== 'lane.js');
    expect(own.length).toBeGreaterThan(15);
    const packed = own.map(([, content]) => deflateRawSync(content).length).reduce((sum, size) => sum + size, 0);
    expect(packed).toBeLessThanOrEqual(100 * 1024);
  });

  it('has a popup whose script packs into 40 KB, and which waits for no other file', () => {
    const page = String(built.get('popup.html'));
    expect([...page.matchAll(/ (?:src|href)="(.+?)"/g)].map(([, name]) => name)).toEqual(['page.js']);
    const script = built.get('page.js')!;
    expect(String(script)).not.toMatch(/\bimport\b/);
    expect(gzipSync(script).length).toBeLessThanOrEqual(40 * 1024);
  });
});
