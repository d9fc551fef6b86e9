import type { Model } from '#shared/models.ts';

import { fetchModels } from './models.ts';

/** Puter's list of models, kept fresh. */
export interface Catalogue {
  /** Null until it could be had once. */
  models(): Model[] | null;
  close(): void;
}

const freshMs = 10 * 60_000;
const retryMs = 30_000;

export function startCatalogue(options: { apiOrigin: string; onChange: () => void }): Catalogue {
  const { apiOrigin, onChange } = options;
  let models: Model[] | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  async function refresh(): Promise<void> {
    const fresh = await fetchModels(apiOrigin).catch(() => null);
    if (isClosed) return;
    timer = setTimeout(() => void refresh(), fresh ? freshMs : retryMs);
    // Where it cannot be had just now, the old one is better than none.
    if (!fresh || JSON.stringify(fresh) === JSON.stringify(models)) return;
    models = fresh;
    onChange();
  }

  void refresh();
  return {
    models: () => models,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
