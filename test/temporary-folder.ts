import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { onParentEnd } from './browser/parent-end.ts';

export interface TemporaryFolder {
  dir: string;
  remove(): Promise<void>;
}

// A killed browser's children may hold files for a moment, above all on Windows.
const REMOVE = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;

/** A new, empty folder, removed by `remove()` or when this Node process ends. */
export async function createTemporaryFolder(name: string): Promise<TemporaryFolder> {
  const dir = await mkdtemp(path.join(tmpdir(), `puter-bridge-${name}-`));
  const forget = onParentEnd(() => rmSync(dir, REMOVE));
  return {
    dir,
    async remove() {
      forget();
      await rm(dir, REMOVE);
    },
  };
}
