import { Worker } from 'node:worker_threads';

/** Counts tokens by itself where Puter gave no count: an estimate, since every family of models has its own tokens. */
export interface TokenCounter {
  /** How many tokens each text has, about. */
  count(texts: readonly string[]): Promise<number[]>;
  close(): Promise<void>;
}

/** What a worker is asked, and what it answers. */
export interface CountJob {
  id: number;
  texts: readonly string[];
}
export interface CountResult {
  id: number;
  counts: number[];
}

/** The tables take some 100 MB, so they go when nobody asked for this long. */
const idleMs = 60_000;

/** In a thread of its own, which starts with the first question: counting would hold everything else up. */
export function createTokenCounter(): TokenCounter {
  const waiting = new Map<number, { texts: readonly string[]; resolve: (counts: number[]) => void }>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let ids = 0;

  function start(): Worker {
    const it = new Worker(new URL('./token-worker.ts', import.meta.url));
    it.unref();
    it.on('message', ({ id, counts }: CountResult) => {
      waiting.get(id)?.resolve(counts);
      waiting.delete(id);
      if (waiting.size === 0) idle = setTimeout(() => void stop(), idleMs).unref();
    });
    // It may run out of memory. A rough number is better than no answer.
    it.on('error', () => {
      if (worker === it) worker = undefined;
      for (const { texts, resolve } of waiting.values()) resolve(texts.map(guess));
      waiting.clear();
    });
    return it;
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const it = worker;
    worker = undefined;
    await it?.terminate();
  }

  return {
    count(texts) {
      clearTimeout(idle);
      worker ??= start();
      const { promise, resolve } = Promise.withResolvers<number[]>();
      ids += 1;
      waiting.set(ids, { texts, resolve });
      worker.postMessage({ id: ids, texts } satisfies CountJob);
      return promise;
    },
    async close() {
      await stop();
      for (const { texts, resolve } of waiting.values()) resolve(texts.map(guess));
      waiting.clear();
    },
  };
}

/** English has about four characters to a token. */
const guess = (text: string): number => Math.ceil(text.length / 4);
