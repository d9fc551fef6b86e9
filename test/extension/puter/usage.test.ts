import { describe, expect, it } from 'vitest';

import { readUsage } from '../../../extension/puter/usage.ts';

const usage = { inputTokens: 11, outputTokens: 7 };

describe('usage', () => {
  it.each([
    [{ prompt: 11, completion: 7, input_cache_read: 0, usd_cents: null }],
    [{ prompt_tokens: 11, completion_tokens: 7 }],
    [{ input_tokens: 11, output_tokens: 7 }],
    [{ prompt: null, completion: null, input_tokens: 11, output_tokens: 7 }],
  ])('is read from %j', (given) => expect(readUsage(given)).toEqual(usage));

  it.each([
    [undefined],
    [null],
    [5],
    ['11'],
    [[]],
    [{}],
    [{ usd_cents: null }],
    [{ prompt: 11 }],
    [{ prompt: -1, completion: 7 }],
    [{ prompt: 11, completion: -1 }],
    [{ prompt: Number.NaN, completion: 7 }],
    [{ prompt: Number.POSITIVE_INFINITY, completion: 7 }],
    [{ prompt: 1e308, completion: 7 }],
    [{ prompt: 1.5, completion: 7 }],
    [{ prompt: '11', completion: '7' }],
    [{ prompt: 11, output_tokens: 7 }],
  ])('is none in %j', (given) => expect(readUsage(given)).toBeNull());
});
