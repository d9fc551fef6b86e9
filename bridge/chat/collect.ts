import { finishOf, type AnswerEnd, type AnswerPart, type ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Sink, Source } from '../flow.ts';

export type ToolCall = Omit<Extract<AnswerPart, { type: 'tool_call' }>, 'type'>;

/** An answer in one piece. `refusal` is null where the model did not refuse. */
export interface WholeAnswer extends AnswerEnd {
  text: string;
  reasoning: string;
  refusal: string | null;
  toolCalls: ToolCall[];
}

/** A whole answer is a stream collected. Rejects with the failure that ended the stream. */
export function collect(source: Source<ChatEvent>): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const all: ChatEvent[] = [];
    source.pipe({
      write(event) {
        all.push(event);
        if (event.type === 'finish') resolve(assemble(all));
        return true;
      },
      fail: reject,
    });
    source.resume();
  });
}

/** Throws where the events have no end. */
export function assemble(events: Iterable<ChatEvent>): WholeAnswer {
  const texts: string[] = [];
  const reasonings: string[] = [];
  const toolCalls: ToolCall[] = [];
  let refusal: string | null = null;
  for (const event of events) {
    switch (event.type) {
      case 'text':
        texts.push(event.text);
        break;
      case 'reasoning':
        reasonings.push(event.text);
        break;
      case 'refusal':
        refusal = (refusal ?? '') + event.text;
        break;
      case 'tool_call': {
        const { type: _, ...call } = event;
        toolCalls.push(call);
        break;
      }
      case 'finish': {
        const { finishReason, model, usage } = event;
        return {
          text: texts.join(''),
          reasoning: reasonings.join(''),
          refusal,
          toolCalls,
          finishReason,
          model,
          usage,
        };
      }
    }
  }
  throw new BridgeError('internal_error', 'The answer ended without an end. Please report this.');
}

/** The same answer as a stream again, which asks for it once somebody reads, and fails where that rejects. */
export function replay(whole: () => Promise<WholeAnswer>): Source<ChatEvent> {
  let sink: Sink<ChatEvent> | undefined;
  let hasBegun = false;
  return {
    pipe: (it) => void (sink = it),
    resume() {
      if (hasBegun) return;
      hasBegun = true;
      // All of it is in memory, so that a reader who has enough is not waited for.
      whole()
        .then((answer) => tell(answer).forEach((event) => sink?.write(event)))
        .catch((error: unknown) => sink?.fail(error));
    },
  };
}

function tell({ text, reasoning, refusal, toolCalls, ...end }: WholeAnswer): ChatEvent[] {
  return [
    ...(reasoning === '' ? [] : [{ type: 'reasoning' as const, text: reasoning }]),
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...(refusal === null ? [] : [{ type: 'refusal' as const, text: refusal }]),
    ...toolCalls.map((call) => ({ type: 'tool_call' as const, ...call })),
    finishOf(end),
  ];
}
