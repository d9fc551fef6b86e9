import type { ChatRequest, ResponseFormat } from '#shared/chat.ts';
import { isSafeToStream } from '#shared/streaming.ts';

import { toPuterMessages, type PuterMessage } from './puter-messages.ts';

/** What a request is in Puter's words: the messages, and the other arguments of its driver. */
export function toPuterArguments(chat: ChatRequest): { messages: PuterMessage[]; options: Record<string, unknown> } {
  const { model, temperature, topP, maxTokens, reasoningEffort, verbosity } = chat;
  const { tools, toolChoice, parallelToolCalls, responseFormat } = chat;
  return {
    messages: toPuterMessages(chat),
    options: {
      stream: isSafeToStream(chat),
      ...(model !== undefined && { model }),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
      ...(reasoningEffort !== undefined && { reasoning_effort: reasoningEffort }),
      ...(verbosity !== undefined && { verbosity }),
      ...(tools !== undefined && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
      ...(toolChoice !== undefined && { tool_choice: toolChoice }),
      ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
      ...(responseFormat !== undefined && { text: { format: toTextFormat(responseFormat) } }),
    },
  };
}

/** Arguments of the driver that `puter.ai.chat()` would drop in silence. */
export const isBeyondChat = (options: Record<string, unknown>): boolean =>
  ['top_p', 'tool_choice', 'parallel_tool_calls'].some((name) => name in options);

/** The models that Puter calls by OpenAI's newer interface take the format natively; the others are told in words. */
function toTextFormat(format: ResponseFormat): object {
  if (format.type === 'json_object') return { type: 'json_object' };
  const { type, name, description, schema, strict } = format;
  return { type, name, schema, strict, ...(description !== undefined && { description }) };
}
