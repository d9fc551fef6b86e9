import { expect, it } from 'vitest';

import { toUsageBody } from '../../../../bridge/dialects/openai/usage.ts';

const usage = { inputTokens: 10, outputTokens: 2 };

it('usage is the sum over the choices, with what was read from a cache where Puter told it', () => {
  const sum = { prompt_tokens: 20, completion_tokens: 4, total_tokens: 24 };
  expect(toUsageBody([usage, usage])).toEqual(sum);
  expect(toUsageBody([{ ...usage, cachedTokens: 8 }, usage])).toEqual({
    ...sum,
    prompt_tokens_details: { cached_tokens: 8 },
  });
  expect(toUsageBody([usage, { ...usage, isEstimated: true }])).toEqual({ ...sum, estimated: true });
});

it('usage is none where one choice has none', () => expect(toUsageBody([usage, null])).toBeNull());
