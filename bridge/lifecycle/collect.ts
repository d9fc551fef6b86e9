import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Answer } from './results.ts';

/** A whole answer is a stream collected. Rejects with the failure that ended the stream. */
export async function collect(events: AsyncIterable<ChatEvent>, now: () => number): Promise<Answer> {
  const startedAt = now();
  const texts: string[] = [];
  for await (const event of events) {
    if (event.type === 'text') texts.push(event.text);
    else if (event.type === 'finish') {
      const { finishReason, model, usage } = event;
      return { text: texts.join(''), finishReason, model, usage, durationMs: Math.round(now() - startedAt) };
    }
  }
  throw new BridgeError('internal_error', 'The answer ended without an end. Please report this.');
}
