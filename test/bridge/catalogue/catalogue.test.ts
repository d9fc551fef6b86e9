import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { startCatalogue, type Catalogue } from '../../../bridge/catalogue/catalogue.ts';
import { modelNamed } from '../../shared/model-named.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';

let folder: string;
const unexpected: unknown[] = [];
const started: Catalogue[] = [];
beforeEach(async () => {
  const { dir, remove } = await createTemporaryFolder('catalogue');
  // Not there yet: the first list makes it.
  folder = path.join(dir, 'deep', 'state');
  unexpected.length = 0;
  return async () => {
    // First, for what is still to be written would make the folder anew.
    for (const catalogue of started.splice(0)) await catalogue.close();
    await remove();
  };
});

const file = () => path.join(folder, 'models.json');

function start(from = folder) {
  const catalogue = startCatalogue({ folder: from, onUnexpected: (error) => unexpected.push(error) });
  started.push(catalogue);
  return catalogue;
}

/** What one that starts now finds on the disk. */
async function onDisk() {
  const catalogue = start();
  await catalogue.loaded;
  return catalogue.list();
}

async function put(text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(file(), text);
}

describe('the catalogue', () => {
  it('knows nothing until somebody told', async () => {
    const catalogue = start();
    await catalogue.loaded;
    expect([catalogue.list(), catalogue.find('gpt-5'), catalogue.nearest('gpt-5')]).toEqual([null, undefined, []]);
    expect(unexpected).toEqual([]);
  });

  it('knows at once what an extension tells, by every name, and what is near', () => {
    const catalogue = start();
    const models = [modelNamed('gpt-5', 'openai/gpt-5'), modelNamed('gpt-5-mini'), modelNamed('o3')];
    catalogue.learn(models);
    expect(catalogue.list()).toEqual(models);
    expect(catalogue.find('OpenAI/GPT-5')?.id).toBe('gpt-5');
    expect(catalogue.find('gpt')).toBeUndefined();
    expect(catalogue.nearest('gtp-5')[0]).toBe('gpt-5');
  });

  it('believes whoever told last', () => {
    const catalogue = start();
    catalogue.learn([modelNamed('old')]);
    catalogue.learn([modelNamed('new')]);
    expect([catalogue.find('old'), catalogue.find('new')?.id]).toEqual([undefined, 'new']);
  });

  it('still knows the last list after a restart', async () => {
    const catalogue = start();
    for (const name of ['one', 'two', 'three', 'four']) catalogue.learn([modelNamed(name)]);
    await catalogue.close();
    expect(await onDisk()).toEqual([modelNamed('four')]);
    expect(await readdir(folder)).toEqual(['models.json']);
  });

  it('takes what an extension tells for newer than the disk', async () => {
    await put(JSON.stringify({ models: [modelNamed('old')] }));
    const catalogue = start();
    catalogue.learn([modelNamed('new')]);
    await catalogue.loaded;
    expect(catalogue.list()).toEqual([modelNamed('new')]);
  });

  it('writes only what changed', async () => {
    const models = [modelNamed('same')];
    await put(JSON.stringify({ models }));
    const before = await stat(file());
    const catalogue = start();
    await catalogue.loaded;
    catalogue.learn(structuredClone(models));
    await catalogue.close();
    expect((await stat(file())).ino).toBe(before.ino);
    expect(catalogue.list()).toEqual(models);
  });

  it.each([
    ['nothing', ''],
    ['half a list', '{"models":[{"id":"m"'],
    ['another thing', '[]'],
    ['a list of another version', '{"models":[{"id":"m","aliases":[],"vision":true}]}'],
  ])('ignores a file that holds %s, and replaces it', async (_, text) => {
    await put(text);
    const catalogue = start();
    await catalogue.loaded;
    expect(catalogue.list()).toBeNull();
    catalogue.learn([modelNamed('new')]);
    await catalogue.close();
    expect(await onDisk()).toEqual([modelNamed('new')]);
    expect(unexpected).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('keeps it from other people, whatever the file was before', async () => {
    const first = start();
    first.learn([modelNamed('one')]);
    await first.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await chmod(file(), 0o644);
    const second = start();
    second.learn([modelNamed('two')]);
    await second.close();
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });
});

describe('a disk that takes nothing', () => {
  /** A file where the folder should be, since root may write everywhere else. */
  async function startOnNoFolder() {
    await put('');
    return start(file());
  }

  it('is told of once, and takes nothing away', async () => {
    const catalogue = await startOnNoFolder();
    for (const name of ['one', 'two', 'three']) {
      catalogue.learn([modelNamed(name)]);
      // Written by now, or not: each had its own try.
      await catalogue.close();
    }
    expect(catalogue.list()).toEqual([modelNamed('three')]);
    expect(unexpected).toMatchObject([
      { message: expect.stringContaining(file()) as string, cause: expect.any(Error) as Error },
    ]);
  });

  it('leaves no draft behind where the last step fails', async () => {
    await mkdir(path.join(file(), 'taken'), { recursive: true });
    const catalogue = start();
    catalogue.learn([modelNamed('one')]);
    await catalogue.close();
    expect(unexpected).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['models.json']);
  });

  it('is tried again when the same list is told once more', async () => {
    const catalogue = await startOnNoFolder();
    const models = [modelNamed('one')];
    catalogue.learn(models);
    await catalogue.close();
    await rm(file());
    catalogue.learn(models);
    await catalogue.close();
    expect(JSON.parse(await readFile(path.join(file(), 'models.json'), 'utf8'))).toEqual({ models });
  });
});
