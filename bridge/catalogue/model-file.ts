import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { modelListSchema, type Model } from '#shared/models.ts';

/** The list of models on disk: `models.json` in the state folder. */
export interface ModelFile {
  /** Null where there is none that can be read. */
  read(): Promise<readonly Model[] | null>;
  /** Whole or not at all. Rejects with the error of the file system. */
  write(models: readonly Model[]): Promise<void>;
}

const fileSchema = v.object({ models: modelListSchema });

export function createModelFile(folder: string): ModelFile {
  const file = path.join(folder, 'models.json');
  return {
    async read() {
      try {
        return v.parse(fileSchema, JSON.parse(await readFile(file, 'utf8'))).models;
      } catch {
        // None yet, broken, or of another version: the next extension tells what is in it.
        return null;
      }
    },
    async write(models) {
      // A name of its own: another bridge may keep its list in the same folder.
      const draft = `${file}.${randomUUID()}`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(draft, JSON.stringify({ models }), { mode: 0o600, flush: true });
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw error;
      }
    },
  };
}
