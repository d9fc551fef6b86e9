import type OpenAI from 'openai';

import type { ToolCall } from '../chat/collect.ts';

/** Where Google's own endpoint for OpenAI's clients puts the signature of a call. */
interface Signed {
  extra_content?: { google: { thought_signature: string } };
}

/** A call of a tool as OpenAI's clients know it, in every dialect that has no words of its own for one. */
export const toToolCall = ({
  id,
  name,
  arguments: args,
  thoughtSignature,
}: ToolCall): OpenAI.ChatCompletionMessageFunctionToolCall & Signed => ({
  id,
  type: 'function',
  function: { name, arguments: args },
  ...(thoughtSignature !== undefined && { extra_content: { google: { thought_signature: thoughtSignature } } }),
});
