import './globals.ts';

import { puter } from '@heyputer/puter.js';

import type { AnswerEnd, AnswerPart, ChatRequest } from '#shared/chat.ts';
import { BridgeError, type Failure } from '#shared/errors.ts';

import { isBeyondChat, toPuterArguments } from './chat-arguments.ts';
import { toFailure, unwrapEnvelope } from './failures.ts';
import { createStreamReader, readWhole } from './normalise.ts';

/**
 * One `puter.ai.chat()`, for as long as it takes: the call knows no abort, ending the worker ends it.
 * Calls `onPart` for every piece of the answer. Rejects with a `BridgeError`.
 */
export async function runChat(
  chat: ChatRequest,
  token: string,
  onPart: (part: AnswerPart) => void,
): Promise<AnswerEnd> {
  if (puter.authToken !== token) puter.setAuthToken(token);
  try {
    const { messages, options } = toPuterArguments(chat);
    if (isBeyondChat(options)) {
      const reply = await puter.drivers.call('puter-chat-completion', 'ai-chat', 'complete', { messages, ...options });
      return isStream(reply) ? await readStream(reply, chat, onPart) : readWhole(unwrapEnvelope(reply), chat, onPart);
    }
    const answer: unknown = await puter.ai.chat(messages, options);
    // A server may answer whole although a stream was asked for.
    return isStream(answer) ? await readStream(answer, chat, onPart) : readWhole(answer, chat, onPart);
  } catch (error) {
    throw BridgeError.from(explain(toFailure(error), chat));
  }
}

async function readStream(
  lines: AsyncIterable<unknown>,
  chat: ChatRequest,
  onPart: (part: AnswerPart) => void,
): Promise<AnswerEnd> {
  const reader = createStreamReader(chat, onPart);
  try {
    for await (const line of lines) reader.read(line);
  } catch (error) {
    // Where the connection breaks inside a line, puter.js reads what there is of it as a whole one.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return reader.end();
}

const isStream = (answer: unknown): answer is AsyncIterable<unknown> =>
  typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;

/** Where nobody named a model, a better name is no way out. */
function explain(failure: Failure, chat: ChatRequest): Failure {
  if (failure.code !== 'model_not_found' || chat.model !== undefined) return failure;
  const message = 'This Puter has no default model. Name one in “model”, or set a default in the extension’s options.';
  return { ...failure, message };
}
