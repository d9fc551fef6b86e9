import { describe, expect, it } from 'vitest';

import { readUsage } from '../../../extension/puter/usage.ts';
import { readCaptures } from '../../puter/capture.ts';

const usage = { inputTokens: 11, outputTokens: 7 };
const read = (given: unknown, model = 'm') => readUsage(given, { model, messages: [] });

describe('usage', () => {
  it.each([
    [{ prompt: 11, completion: 7, input_cache_read: 0, usd_cents: null }],
    [{ prompt_tokens: 11, completion_tokens: 7 }],
    [{ input_tokens: 11, output_tokens: 7 }],
    [{ input_tokens: 11, output_tokens: 7, cache_read_input_tokens: 0, ephemeral_5m_input_tokens: null }],
    [{ prompt_tokens: 11, completion_tokens: 7, cached_tokens: -5, thinking_tokens: '88' }],
    [{ prompt: null, completion: null, input_tokens: 11, output_tokens: 7 }],
  ])('is read from %j', (given) => expect(read(given)).toEqual(usage));

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
  ])('is none in %j', (given) => expect(read(given)).toBeNull());

  it.each([
    ['gpt-5', { prompt_tokens: 176, completion_tokens: 20, cached_tokens: 128 }, 304, 20, 128],
    ['azure:openai/o3', { prompt_tokens: 176, completion_tokens: 20, cached_tokens: 128 }, 304, 20, 128],
    [
      'google/gemini-2.5-flash',
      { prompt_tokens: 10, completion_tokens: 12, cached_tokens: 5, thinking_tokens: 88 },
      ...[15, 100, 5],
    ],
    ['openrouter:x/y', { prompt: 120, completion: 7, input_cache_read: 18_000, request: 1 }, 18_120, 7, 18_000],
    [
      'claude-sonnet-4',
      {
        ...{ input_tokens: 5, ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 2 },
        ...{ cache_read_input_tokens: 30_000, output_tokens: 20, thinking_tokens: 15 },
      },
      ...[30_047, 20, 30_000],
    ],
  ] as const)(
    'of %s has what Puter prices apart in it: %j',
    (model, given, inputTokens, outputTokens, cachedTokens) => {
      expect(read(given, model)).toEqual({ inputTokens, outputTokens, cachedTokens });
    },
  );

  it.each(['deepseek-v4-flash', 'kimi-k2.5', 'openai/gpt-oss-20b', 'grok-4'])(
    'of %s, whose cached tokens Puter may or may not have taken out, counts none of them twice',
    (model) => {
      const given = { prompt_tokens: 176, completion_tokens: 20, cached_tokens: 128 };
      expect(read(given, model)).toEqual({ inputTokens: 176, outputTokens: 20, cachedTokens: 128 });
      // More than all of them were: they are not among them.
      expect(read({ ...given, prompt_tokens: 48 }, model)).toMatchObject({ inputTokens: 176, cachedTokens: 128 });
    },
  );

  it('is read from what Puter really told', () => {
    const told = readCaptures().flatMap(({ answer }) => /"usage":(\{[^{}]*\})/.exec(answer.body)?.[1] ?? []);
    const known = told.map((usage) => read(JSON.parse(usage))).filter((it) => it !== null);
    expect(new Set(known.map((it) => JSON.stringify(it)))).toEqual(
      new Set([JSON.stringify(usage), JSON.stringify({ inputTokens: 0, outputTokens: 1 })]),
    );
  });
});
