import type { ChatEvent, ChatMessage, ChatRequest, Usage } from '#shared/chat.ts';

import { through, type Source } from '../flow.ts';
import type { TokenCounter } from './token-counter.ts';

/** What a message costs beside its texts, and an image at the least, in OpenAI's models. */
const messageTokens = 4;
const imageTokens = 85;

/** Fills the usage in where Puter gave none. */
export const countUsage = (source: Source<ChatEvent>, request: ChatRequest, counter: TokenCounter): Source<ChatEvent> =>
  through(source, (sink) => {
    const said = createSample();
    return {
      write(event) {
        if (event.type !== 'finish') {
          said.add(event.type === 'tool_call' ? event.name + event.arguments : event.text);
          return sink.write(event);
        }
        if (event.usage) return sink.write(event);
        estimate(request, said, counter).then(
          (usage) => sink.write({ ...event, usage }),
          (error: unknown) => sink.fail(error),
        );
        return true;
      },
    };
  });

async function estimate(request: ChatRequest, said: Sample, counter: TokenCounter): Promise<Usage> {
  const { messages, tools = [] } = request;
  const asked = [...messages.flatMap(textsOf), ...tools.map((tool) => JSON.stringify(tool))].join('\n');
  const images = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter(({ type }) => type === 'image'),
  );
  const [input = 0, output = 0] = await counter.count([asked, said.text()]);
  return {
    inputTokens: input + messages.length * messageTokens + images.length * imageTokens,
    outputTokens: Math.round(output * said.scale()),
    isEstimated: true,
  };
}

function textsOf(message: ChatMessage): string[] {
  const { content } = message;
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
  return [
    ...(typeof content === 'string' ? [content] : content.map((part) => (part.type === 'text' ? part.text : ''))),
    ...calls.map(({ name, arguments: args }) => name + args),
  ];
}

/** Of both: what a repaired answer cost. */
export function addUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (!a || !b) return a ?? b;
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...((a.isEstimated || b.isEstimated) && { isEstimated: true as const }),
  };
}

/** Enough of an answer to count by; a long one is not kept for that. */
interface Sample {
  add(text: string): void;
  text(): string;
  /** How many times longer the answer is. */
  scale(): number;
}

const maxSampleChars = 200_000;

function createSample(): Sample {
  const texts: string[] = [];
  let kept = 0;
  let length = 0;
  return {
    add(text) {
      length += text.length;
      if (kept >= maxSampleChars) return;
      texts.push(text);
      kept += text.length;
    },
    text: () => texts.join(''),
    scale: () => (kept === 0 ? 1 : length / kept),
  };
}
