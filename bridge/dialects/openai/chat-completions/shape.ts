import type OpenAI from 'openai';

import type { ChatEvent } from '#shared/chat.ts';

import type { WholeAnswer } from '../../../chat/collect.ts';
import { toToolCall } from '../../to-tool-call.ts';
import type { About, Shape } from '../respond.ts';

/** What the thoughts of a model are called by the clients that show them; OpenAI has no name for them. */
interface Reasoning {
  reasoning_content?: string;
}

type Delta = OpenAI.ChatCompletionChunk.Choice.Delta & Reasoning;

/** Answers in the words of Chat Completions. */
export const shape: Shape = {
  prefix: 'chatcmpl-',

  whole: (about, answers): OpenAI.ChatCompletion => ({
    ...about,
    object: 'chat.completion',
    choices: answers.map((answer, index) => ({
      index,
      message: toMessage(answer),
      logprobs: null,
      finish_reason: answer.finishReason,
    })),
  }),

  chunk: (about: About, choices): OpenAI.ChatCompletionChunk => ({
    ...about,
    object: 'chat.completion.chunk',
    choices: choices as OpenAI.ChatCompletionChunk.Choice[],
  }),

  teller(index, send) {
    const piece = (
      delta: Delta,
      finishReason: OpenAI.ChatCompletionChunk.Choice['finish_reason'] = null,
    ): OpenAI.ChatCompletionChunk.Choice => ({ index, delta, logprobs: null, finish_reason: finishReason });
    let hasBegun = false;
    let calls = 0;

    function toPiece(event: ChatEvent): OpenAI.ChatCompletionChunk.Choice {
      switch (event.type) {
        case 'text':
          return piece({ content: event.text });
        case 'reasoning':
          return piece({ reasoning_content: event.text });
        case 'refusal':
          return piece({ refusal: event.text });
        case 'tool_call':
          return piece({ tool_calls: [{ index: calls++, ...toToolCall(event) }] });
        case 'finish':
          return piece({}, event.finishReason);
      }
    }

    return (event) => {
      // Clients fail where the first delta has no role.
      if (!hasBegun) send(piece({ role: 'assistant', content: '' }));
      hasBegun = true;
      send(toPiece(event));
    };
  },
};

function toMessage({ text, reasoning, refusal, toolCalls }: WholeAnswer): OpenAI.ChatCompletionMessage & Reasoning {
  return {
    role: 'assistant',
    content: text === '' && (toolCalls.length > 0 || refusal !== null) ? null : text,
    refusal,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(toToolCall) }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
  };
}
