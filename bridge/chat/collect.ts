import type { AnswerEnd, AnswerPart, ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

export type ToolCall = Omit<Extract<AnswerPart, { type: 'tool_call' }>, 'type'>;

/** An answer in one piece. `refusal` is null where the model did not refuse. */
export interface WholeAnswer extends AnswerEnd {
  text: string;
  reasoning: string;
  refusal: string | null;
  toolCalls: ToolCall[];
}

/** A whole answer is a stream collected. Rejects with the failure that ended the stream. */
export async function collect(events: AsyncIterable<ChatEvent>): Promise<WholeAnswer> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return assemble(all);
}

/** Throws where the events have no end. */
export function assemble(events: readonly ChatEvent[]): WholeAnswer {
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
      case 'tool_call':
        toolCalls.push({ id: event.id, name: event.name, arguments: event.arguments });
        break;
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

/** The same answer as a stream again. */
export function* tell(answer: WholeAnswer): Iterable<ChatEvent> {
  const { text, reasoning, refusal, toolCalls, finishReason, model, usage } = answer;
  if (reasoning !== '') yield { type: 'reasoning', text: reasoning };
  if (text !== '') yield { type: 'text', text };
  if (refusal !== null) yield { type: 'refusal', text: refusal };
  for (const call of toolCalls) yield { type: 'tool_call', ...call };
  yield { type: 'finish', finishReason, model, usage };
}

/** The same where it is still to come, and only once somebody reads it. */
export async function* replay(whole: () => Promise<WholeAnswer>): AsyncGenerator<ChatEvent> {
  yield* tell(await whole());
}
