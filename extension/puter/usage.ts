import * as v from 'valibot';

import type { ChatRequest, Usage } from '#shared/chat.ts';
import { isGemini, isOpenAi } from '#shared/families.ts';

/**
 * What the providers call their numbers. Puter takes out what it prices apart: of the input what was `read` from a cache
 * or `written` to one, of Gemini's output its `thoughts` (those of all others are in it). OpenAI's own have it all.
 */
const spellings = [
  { input: 'prompt', output: 'completion', read: 'input_cache_read', written: [], thoughts: [] },
  {
    input: 'prompt_tokens',
    output: 'completion_tokens',
    read: 'cached_tokens',
    written: [],
    thoughts: ['thinking_tokens'],
  },
  {
    input: 'input_tokens',
    output: 'output_tokens',
    read: 'cache_read_input_tokens',
    written: ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens'],
    thoughts: [],
  },
] as const;

const countsSchema = v.record(v.string(), v.unknown());

/** Tokens in whichever spelling they come, as OpenAI counts; null where there are none or they make no sense. */
export function readUsage(usage: unknown, chat: ChatRequest): Usage | null {
  const { success, output: counts } = v.safeParse(countsSchema, usage);
  if (!success) return null;
  const countOf = (name: string) => (isCount(counts[name]) ? counts[name] : 0);
  const sum = (names: readonly string[]) => names.reduce((total, name) => total + countOf(name), 0);
  for (const { input, output, read, written, thoughts } of spellings) {
    const [inputTokens, outputTokens] = [counts[input], counts[output]];
    if (!isCount(inputTokens) || !isCount(outputTokens)) continue;
    const cachedTokens = countOf(read);
    const isTakenOut = read !== 'cached_tokens' || takesCachedOut(chat) || cachedTokens > inputTokens;
    return {
      inputTokens: inputTokens + (isTakenOut ? cachedTokens : 0) + sum(written),
      outputTokens: outputTokens + sum(thoughts),
      ...(cachedTokens > 0 && { cachedTokens }),
    };
  }
  return null;
}

/** Of other makers (DeepSeek, Moonshot) older servers leave them in, newer ones do not, and neither says so. */
const takesCachedOut = (chat: ChatRequest): boolean => isOpenAi(chat) || isGemini(chat);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
