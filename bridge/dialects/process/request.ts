import * as v from 'valibot';

import type { ChatRequest } from '#shared/chat.ts';

const text = v.pipe(
  v.string('must be a string'),
  v.check((value) => value.trim() !== '', 'must not be empty'),
  v.check((value) => value.isWellFormed(), 'must be valid Unicode (it has half of a surrogate pair)'),
);

const wholeNumber = (min: number, max: number) => {
  const sentence = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.integer(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
};

/** The body of `POST /api/process`. Fields that are not named here are ignored. */
export const requestSchema = v.object(
  {
    prompt: text,
    model: v.exactOptional(v.pipe(text, v.maxLength(200, 'must have at most 200 characters'))),
    system: v.exactOptional(text),
    temperature: v.exactOptional(
      v.pipe(
        v.number('must be a number from 0 to 2'),
        v.minValue(0, 'must be a number from 0 to 2'),
        v.maxValue(2, 'must be a number from 0 to 2'),
      ),
    ),
    max_tokens: v.exactOptional(wholeNumber(1, 10_000_000)),
    timeout_ms: v.exactOptional(wholeNumber(1, 600_000), 60_000),
    wait: v.exactOptional(v.boolean('must be true or false'), true),
  },
  'must be a JSON object',
);

export type ProcessRequest = v.InferOutput<typeof requestSchema>;

export function toChatRequest(body: ProcessRequest): ChatRequest {
  const { prompt, model, system, temperature, max_tokens: maxTokens } = body;
  return {
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: prompt },
    ],
    ...(model !== undefined && { model }),
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}
