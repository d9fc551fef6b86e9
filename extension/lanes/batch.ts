import type { AnswerPart } from '#shared/chat.ts';

/**
 * Gathers the parts that arrive in one turn of the event loop and hands them on together: a burst costs one
 * message instead of hundreds, and a single part waits for nothing.
 */
export function createBatch(send: (parts: AnswerPart[]) => void): { add(part: AnswerPart): void; flush(): void } {
  let parts: AnswerPart[] = [];
  // A timer would wait at least 4 ms once it is nested; a message to oneself comes in the next turn.
  const turn = new MessageChannel();
  turn.port1.onmessage = flush;

  function flush(): void {
    if (parts.length === 0) return;
    const batch = parts;
    parts = [];
    send(batch);
  }

  return {
    add(part) {
      if (parts.length === 0) turn.port2.postMessage(null);
      const last = parts.at(-1);
      if (last && last.type === part.type && last.type !== 'tool_call' && part.type !== 'tool_call')
        last.text += part.text;
      else parts.push({ ...part });
    },
    flush,
  };
}
