import { findModel, namesOf, type Model } from '#shared/models.ts';
import { nearestNames } from '#shared/nearest-names.ts';

import { createModelFile } from './model-file.ts';

/** What the bridge knows of Puter's models: what an extension told, or before the first one what the disk kept. */
export interface Catalogue {
  /** Resolves once the disk was read or could not be; never rejects. */
  readonly loaded: Promise<void>;
  /** Null where no extension ever told. */
  list(): readonly Model[] | null;
  /** By any of its names, in capitals or not. */
  find(name: string): Model | undefined;
  /** The up to three names that are closest to `name`, best first. */
  nearest(name: string): string[];
  /** An extension told its list. */
  learn(models: readonly Model[]): void;
  /** Waits for what is still to be written. */
  close(): Promise<void>;
}

/** Reads and writes in the background: neither start nor answers wait for the disk, and none fail with it. */
export function startCatalogue(options: { folder: string; onUnexpected: (error: unknown) => void }): Catalogue {
  const { folder, onUnexpected } = options;
  const file = createModelFile(folder);
  let models: readonly Model[] | null = null;
  /** As the disk has it, or will once what is under way is done. */
  let kept = '';
  let unsaved: readonly Model[] | null = null;
  let saving: Promise<void> | undefined;
  let hasFailed = false;

  const loaded = file.read().then((read) => {
    // An extension may have been quicker, and what it tells is newer.
    if (!models && read) {
      models = read;
      kept = JSON.stringify(read);
    }
  });

  async function save(): Promise<void> {
    while (unsaved) {
      const next = unsaved;
      unsaved = null;
      try {
        await file.write(next);
      } catch (cause) {
        // The next telling tries again, of the same list too.
        kept = '';
        // Once is enough to say: it changes nothing but what a later start knows.
        if (!hasFailed) onUnexpected(new Error(`The list of models cannot be kept in ${folder}.`, { cause }));
        hasFailed = true;
      }
    }
    saving = undefined;
  }

  return {
    loaded,
    list: () => models,
    find: (name) => (models ? findModel(models, name) : undefined),
    nearest: (name) => nearestNames(name, models?.flatMap(namesOf) ?? []),
    learn(told) {
      // Extensions may be signed in to different Puters. Whichever told last wins, as it is the one that just came or
      // whose Puter just changed: a list made of several would promise what no single one of them can do.
      models = told;
      const text = JSON.stringify(told);
      if (text === kept) return;
      kept = text;
      unsaved = told;
      saving ??= save();
    },
    async close() {
      await saving;
    },
  };
}
