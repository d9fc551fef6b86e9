import type { ChatMessage, ChatRequest, Usage } from '#shared/chat.ts';

import type { ToolCall, WholeAnswer } from './collect.ts';
import type { TokenCounter } from './token-counter.ts';

/** What a message costs beside its texts, and an image at the least, in OpenAI's models. */
const messageTokens = 4;
const imageTokens = 85;

/** What an answer to the request used, where Puter does not tell. */
export async function estimateUsage(
  { reasoning, text, toolCalls }: WholeAnswer,
  request: ChatRequest,
  counter: TokenCounter,
): Promise<Usage> {
  const { messages, tools = [] } = request;
  const asked = [...messages.flatMap(textsOf), ...tools.map((tool) => JSON.stringify(tool))].join('\n');
  const images = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter(({ type }) => type === 'image'),
  );
  const [input = 0, ...outputs] = await counter.count([asked, reasoning, text, ...toolCalls.map(textOfCall)]);
  return {
    inputTokens: input + messages.length * messageTokens + images.length * imageTokens,
    outputTokens: outputs.reduce((sum, tokens) => sum + tokens, 0),
    isEstimated: true,
  };
}

function textsOf(message: ChatMessage): string[] {
  const { content } = message;
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
  return [
    ...(typeof content === 'string' ? [content] : content.map((part) => (part.type === 'text' ? part.text : ''))),
    ...calls.map(textOfCall),
  ];
}

const textOfCall = ({ name, arguments: args }: ToolCall): string => name + args;

/** Of both: what a repaired answer cost. */
export function addUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (!a || !b) return a ?? b;
  const cachedTokens = (a.cachedTokens ?? 0) + (b.cachedTokens ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...(cachedTokens > 0 && { cachedTokens }),
    ...((a.isEstimated || b.isEstimated) && { isEstimated: true as const }),
  };
}
