import type { AnswerEnd, AnswerPart, ChatEvent } from '#shared/chat.ts';

import { createStopFilter } from '../../../chat/stop.ts';

/** A piece of one choice, and how it ends. */
export type ChoiceEvent =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | Extract<AnswerPart, { type: 'tool_call' }>
  | { type: 'finish'; end: AnswerEnd };

/**
 * One choice of the answer: the stops are applied here, since Puter knows none. `cancel` ends the call once its rest is
 * not wanted. Throws what the call failed with.
 */
export async function* readChoice(
  events: AsyncIterable<ChatEvent>,
  stops: readonly string[],
  cancel: () => void,
): AsyncGenerator<ChoiceEvent> {
  const filter = createStopFilter(stops);
  let isOver = false;
  try {
    for await (const event of events) {
      switch (event.type) {
        case 'text': {
          const added = filter.add(event.text);
          if (added.text !== '') yield { type: 'text', text: added.text };
          isOver = added.isOver;
          // The stream breaks off with that, and what it breaks off with is not a failure.
          if (isOver) cancel();
          break;
        }
        case 'reasoning':
          yield { type: 'reasoning', text: event.text };
          break;
        case 'tool_call':
          yield event;
          break;
        case 'finish': {
          const text = filter.rest();
          if (text !== '') yield { type: 'text', text };
          const { finishReason, model, usage } = event;
          yield { type: 'finish', end: { finishReason, model, usage } };
        }
      }
    }
  } catch (error) {
    if (!isOver) throw error;
    yield { type: 'finish', end: { finishReason: 'stop', model: null, usage: null } };
  }
}
