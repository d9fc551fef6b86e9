import { chmodSync, closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { InsecureFolderError, openPrivateFolder } from '../../../bridge/journal/private-folder.ts';
import { openKeyRing, type KeyRing } from '../../../bridge/keys/key-ring.ts';
import { createKey } from '../../../bridge/keys/keys.ts';
import { SetupError } from '../../../bridge/setup-error.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../temporary-folder.ts';

let folder: TemporaryFolder;
let file: string;
const onTrouble = vi.fn<(error: unknown) => void>();
beforeEach(async () => {
  folder = await createTemporaryFolder('keys');
  file = join(folder.dir, 'keys.json');
  onTrouble.mockClear();
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await folder.remove();
});

const open = (dir = folder.dir): KeyRing => openKeyRing(dir, { onTrouble });

/** Keys of a file of their own, so that what is written of them is equally long. */
async function otherFiles(count: number): Promise<{ key: string; text: string }[]> {
  const { dir, remove } = await createTemporaryFolder('others');
  const made = Array.from({ length: count }, (_, index) => {
    const key = createKey(dir, `key-${index + 100}`, new Date(0));
    const { keys } = JSON.parse(readFileSync(join(dir, 'keys.json'), 'utf8')) as { keys: object[] };
    return { key, text: JSON.stringify({ keys: keys.slice(-1) }) };
  });
  await remove();
  return made;
}

describe('an edit of the file of the keys', () => {
  it('counts, however fast it comes after another, and although it was looked at before it was done', async () => {
    createKey(folder.dir, 'first', new Date());
    const ring = open();
    let last = '';
    for (const { key, text } of await otherFiles(40)) {
      const written = openSync(file, 'r+');
      ftruncateSync(written);
      ring.refresh();
      writeSync(written, text);
      closeSync(written);
      ring.refresh();
      expect([ring.find(key) === undefined, ring.find(last)]).toEqual([false, undefined]);
      last = key;
    }
    expect(onTrouble).not.toHaveBeenCalled();
  });

  it('that cannot be read is told of once, where it stays so, and changes nothing until it is mended', async () => {
    const key = createKey(folder.dir, 'first', new Date());
    const ring = open();
    const [other] = await otherFiles(1);
    for (const broken of ['{', '[]']) {
      writeFileSync(file, broken);
      ring.refresh();
      expect(onTrouble).not.toHaveBeenCalled();
      for (let time = 0; time < 3; time += 1) {
        vi.advanceTimersByTime(1000);
        ring.refresh();
      }
      expect(onTrouble.mock.calls).toEqual([[expect.any(SetupError)]]);
      expect(ring.find(broken === '{' ? key : other!.key)).toBeDefined();
      writeFileSync(file, other!.text);
      ring.refresh();
      expect(ring.find(other!.key)).toBeDefined();
      onTrouble.mockClear();
    }
  });
});

describe('a folder that could not be made when the bridge started', () => {
  const below = () => join(folder.dir, 'a-file', 'state');
  beforeEach(() => writeFileSync(join(folder.dir, 'a-file'), ''));

  it('is told of once, and the first key in it counts as soon as it is there', async () => {
    const ring = open(below());
    expect([ring.isLocked, ring.size]).toEqual([false, 0]);
    vi.advanceTimersByTime(2000);
    ring.refresh();
    expect(onTrouble.mock.calls).toMatchObject([[{ code: 'ENOTDIR' }]]);
    rmSync(join(folder.dir, 'a-file'));
    openPrivateFolder(below());
    const key = createKey(below(), 'first', new Date());
    ring.refresh();
    expect([ring.isLocked, ring.find(key)?.name]).toEqual([true, 'first']);
  });

  it('and that others can open once it is there is told of, as long as it is so', async () => {
    const ring = open(below());
    onTrouble.mockClear();
    rmSync(join(folder.dir, 'a-file'));
    openPrivateFolder(below());
    const key = createKey(below(), 'first', new Date());
    chmodSync(below(), 0o755);
    for (const ms of [0, 1000, 1000]) {
      vi.advanceTimersByTime(ms);
      ring.refresh();
    }
    expect(onTrouble.mock.calls).toEqual([[expect.any(InsecureFolderError)]]);
    expect(ring.isLocked).toBe(false);
    chmodSync(below(), 0o700);
    ring.refresh();
    expect([ring.isLocked, ring.find(key)?.name]).toEqual([true, 'first']);
  });
});
