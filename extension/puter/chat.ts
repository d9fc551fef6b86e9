import './globals.ts';

import { puter } from '@heyputer/puter.js';

import type { AnswerEnd, AnswerPart, ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';
import { namesOf } from '#shared/models.ts';
import { nearestNames } from '#shared/nearest-names.ts';

import { toPuterArguments } from './chat-arguments.ts';
import { toFailure } from './failures.ts';
import { fetchModels } from './models.ts';
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
    const answer: unknown = await puter.ai.chat(messages, options);
    // A server may answer whole although a stream was asked for.
    return isStream(answer) ? await readStream(answer, chat, onPart) : readWhole(answer, chat, onPart);
  } catch (error) {
    throw await explain(toFailure(error), chat);
  }
}

async function readStream(
  lines: AsyncIterable<unknown>,
  chat: ChatRequest,
  onPart: (part: AnswerPart) => void,
): Promise<AnswerEnd> {
  const reader = createStreamReader(chat, onPart);
  for await (const line of lines) reader.read(line);
  return reader.end();
}

const isStream = (answer: unknown): answer is AsyncIterable<unknown> =>
  typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;

/** Says which models there are when the one that was asked for is not among them. */
async function explain(failure: ReturnType<typeof toFailure>, chat: ChatRequest): Promise<BridgeError> {
  if (failure.code !== 'model_not_found') return BridgeError.from(failure);
  if (chat.model === undefined) {
    const message =
      'This Puter has no default model. Name one in “model”, or set a default in the extension’s options.';
    return BridgeError.from({ ...failure, message });
  }
  const models = await fetchModels(puter.APIOrigin).catch(() => []);
  const suggestions = nearestNames(chat.model, models.flatMap(namesOf));
  const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.join(', ')}?` : '';
  return BridgeError.from({ ...failure, message: `Puter has no model of that name.${hint}`, suggestions });
}
