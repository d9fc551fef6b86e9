import { partChars, type AnswerPart } from '#shared/chat.ts';

/** Characters in one part: a whole answer can be larger than a frame may be. */
const maxPartChars = 1_000_000;

/**
 * Gathers the parts that arrive in one turn of the event loop and hands them on together: a burst costs one
 * message instead of hundreds, and a single part waits for nothing.
 */
export function createBatch(send: (parts: AnswerPart[]) => void): {
  add(part: AnswerPart): void;
  flush(): void;
  /** Returns what is left. An open channel would outlive its batch. */
  close(): AnswerPart[];
} {
  let parts: AnswerPart[] = [];
  let chars = 0;
  // A timer would wait at least 4 ms once it is nested; a message to oneself comes in the next turn.
  const turn = new MessageChannel();
  turn.port1.onmessage = flush;

  function flush(): void {
    if (parts.length === 0) return;
    const batch = parts;
    parts = [];
    chars = 0;
    send(batch);
  }

  function push(part: AnswerPart): void {
    if (parts.length === 0) turn.port2.postMessage(null);
    const last = parts.at(-1);
    const isMore = last && last.type === part.type && last.type !== 'tool_call' && part.type !== 'tool_call';
    if (isMore) last.text += part.text;
    else parts.push({ ...part });
    chars += partChars(part);
    if (chars >= maxPartChars) flush();
  }

  return {
    add(part) {
      if (part.type === 'tool_call') return push(part);
      for (let from = 0; from === 0 || from < part.text.length; from += maxPartChars) {
        push({ ...part, text: part.text.slice(from, from + maxPartChars) });
      }
    },
    flush,
    close() {
      turn.port1.close();
      const left = parts;
      // In Firefox, a message that is on its way comes all the same.
      parts = [];
      return left;
    },
  };
}
