import type { ChatEvent } from '#shared/chat.ts';

import { through, type Source } from '../flow.ts';
import type { WholeAnswer } from './collect.ts';

/**
 * Ends a text before the first of `stops` to be complete, wherever the pieces of the text begin and end: what could
 * still become a stop is held back until the next piece tells.
 */
export interface StopFilter {
  /** What of the text may go out. `isOver`: a stop was found, and nothing after it counts. */
  add(piece: string): { text: string; isOver: boolean };
  /** What was held back, where the text ended without a stop. */
  rest(): string;
}

export function createStopFilter(stops: readonly string[]): StopFilter {
  let held = '';

  return {
    add(piece) {
      held += piece;
      const start = firstStop(held, stops);
      if (start !== undefined) {
        const text = held.slice(0, start);
        held = '';
        return { text, isOver: true };
      }
      const keep = Math.max(0, ...stops.map((stop) => beginningAtEnd(held, stop)));
      const text = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { text, isOver: false };
    },
    rest() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** Where the stop begins that is complete first, as a model would meet it; of two that end together, the longer. */
function firstStop(text: string, stops: readonly string[]): number | undefined {
  const found = stops
    .map((stop) => ({ start: text.indexOf(stop), end: text.indexOf(stop) + stop.length }))
    .filter(({ start }) => start !== -1)
    .sort((a, b) => a.end - b.end || a.start - b.start);
  return found[0]?.start;
}

/** The length of the longest beginning of `stop` that `text` ends with. */
function beginningAtEnd(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}

/**
 * The answer up to its first stop, since Puter knows none. What still comes then, and what the source breaks off with, is
 * of no account: the call goes on until its answer is recorded, so that it is not lost where the bridge is killed.
 */
export const endAtStop = (source: Source<ChatEvent>, stops: readonly string[]): Source<ChatEvent> =>
  through(source, (sink) => {
    const filter = createStopFilter(stops);
    let isOver = false;

    const say = (text: string): boolean => text === '' || sink.write({ type: 'text', text });

    return {
      write(event) {
        if (isOver) return true;
        if (event.type === 'text') {
          const added = filter.add(event.text);
          const isWanted = say(added.text);
          isOver = added.isOver;
          if (isOver) sink.write({ type: 'finish', finishReason: 'stop', model: null, usage: null });
          return isWanted || isOver;
        }
        // What was held back belongs before a call of a tool, and before the end.
        if (event.type !== 'reasoning') say(filter.rest());
        return sink.write(event);
      },
      fail(reason) {
        if (!isOver) sink.fail(reason);
      },
    };
  });

/** The same for an answer that is there as a whole. Its tools were called before anybody looked for a stop. */
export function cutAtStop(answer: WholeAnswer, stops: readonly string[]): WholeAnswer {
  const start = firstStop(answer.text, stops);
  if (start === undefined) return answer;
  const finishReason = answer.toolCalls.length > 0 ? answer.finishReason : 'stop';
  return { ...answer, text: answer.text.slice(0, start), finishReason };
}
