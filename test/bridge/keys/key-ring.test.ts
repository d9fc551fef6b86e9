import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

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
});
afterEach(() => folder.remove());

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
      await vi.waitFor(
        () => {
          ring.refresh();
          expect(onTrouble).toHaveBeenCalledOnce();
        },
        { timeout: 3000 },
      );
      ring.refresh();
      expect(onTrouble.mock.calls).toEqual([[expect.any(SetupError)]]);
      expect(ring.find(broken === '{' ? key : other!.key)).toBeDefined();
      writeFileSync(file, other!.text);
      ring.refresh();
      expect(ring.find(other!.key)).toBeDefined();
      onTrouble.mockClear();
    }
  });
});
