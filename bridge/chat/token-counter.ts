import { createThread } from '../thread.ts';

/** Counts tokens by itself where Puter gave no count: an estimate, since every family of models has its own tokens. */
export interface TokenCounter {
  /** How many tokens each text has, about. */
  count(texts: readonly string[]): Promise<number[]>;
  close(): Promise<void>;
}

/** What the thread is asked, and what it answers. */
export type CountJob = readonly string[];
export type CountResult = number[];

/** Of longer texts, only the beginning is counted, and the rest taken to be like it. */
const maxChars = 200_000;

/** The tables take some 100 MB and a while to load. */
const limitMs = 30_000;

export function createTokenCounter(): TokenCounter {
  const thread = createThread<CountJob, CountResult>(new URL('./token-worker.ts', import.meta.url), { limitMs });
  return {
    async count(texts) {
      try {
        const counts = await thread.ask(texts.map((text) => text.slice(0, maxChars)));
        return texts.map((text, at) => Math.round((counts[at] ?? 0) * Math.max(1, text.length / maxChars)));
      } catch {
        // It may run out of memory. A rough number is better than no answer.
        return texts.map(guess);
      }
    },
    close: thread.close,
  };
}

/** English has about four characters to a token. */
const guess = (text: string): number => Math.ceil(text.length / 4);
