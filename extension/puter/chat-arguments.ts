import type { ChatRequest, ResponseFormat } from '#shared/chat.ts';
import { thinksByBudget } from '#shared/families.ts';
import { isSafeToStream } from '#shared/streaming.ts';

import { toPuterMessages, type PuterMessage } from './puter-messages.ts';

/** What a request is in Puter's words: the messages, and the other arguments of its driver. */
export function toPuterArguments(chat: ChatRequest): { messages: PuterMessage[]; options: Record<string, unknown> } {
  const { model, temperature, topP, maxTokens, verbosity } = chat;
  const { tools, toolChoice, parallelToolCalls, responseFormat } = chat;
  return {
    messages: toPuterMessages(chat),
    options: {
      stream: isSafeToStream(chat),
      ...(model !== undefined && { model }),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
      ...(mayThink(chat) && { reasoning_effort: chat.reasoningEffort }),
      ...(verbosity !== undefined && { verbosity }),
      ...(tools !== undefined && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
      ...(toolChoice !== undefined && { tool_choice: toolChoice }),
      ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
      ...(responseFormat !== undefined && { text: { format: toTextFormat(responseFormat) } }),
    },
  };
}

/**
 * Sealed thoughts are not among what is carried here. Without them, Claude can go on from a call of a tool if it is not
 * asked to think.
 */
function mayThink(chat: ChatRequest): boolean {
  const last = chat.messages.findLast((message) => message.role === 'assistant');
  const goesOnFromCall = (last?.toolCalls ?? []).length > 0;
  return chat.reasoningEffort !== undefined && !(goesOnFromCall && thinksByBudget(chat));
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
