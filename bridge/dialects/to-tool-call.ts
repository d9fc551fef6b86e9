import type OpenAI from 'openai';

import type { ToolCall } from '../chat/collect.ts';

/** A call of a tool as OpenAI's clients know it, in every dialect that has no words of its own for one. */
export const toToolCall = ({ id, name, arguments: args }: ToolCall): OpenAI.ChatCompletionMessageFunctionToolCall => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
