import * as v from 'valibot';

import type { ChatRequest } from '#shared/chat.ts';

import { given, numberFrom, priority, text, wholeFrom } from '../../http/fields.ts';

const filled = v.pipe(
  v.string('must be a string'),
  v.check((value) => value.trim() !== '', 'must not be empty'),
  text,
);

const longestMs = 600_000;

/** The body of `POST /api/process`. Fields that are not named here are ignored. */
export const requestSchema = v.object(
  {
    prompt: filled,
    model: v.exactOptional(v.pipe(filled, v.maxLength(200, 'must have at most 200 characters'))),
    system: v.exactOptional(filled),
    temperature: v.exactOptional(numberFrom(0, 2)),
    max_tokens: v.exactOptional(wholeFrom(1, 10_000_000)),
    timeout_ms: v.exactOptional(wholeFrom(1, longestMs)),
    priority: v.exactOptional(priority),
    wait: v.exactOptional(v.boolean('must be true or false'), true),
  },
  'must be a JSON object',
);

export type ProcessRequest = v.InferOutput<typeof requestSchema>;

/** Nobody who fetches the answer later is kept waiting. */
export const timeoutOf = ({ timeout_ms: timeoutMs, wait }: ProcessRequest): number =>
  timeoutMs ?? (wait ? 60_000 : longestMs);

export function toChatRequest(body: ProcessRequest): ChatRequest {
  const { prompt, model, system, temperature, max_tokens: maxTokens } = body;
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: prompt },
    ],
    ...given({ model, temperature, maxTokens }),
  };
}
