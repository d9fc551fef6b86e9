import type { Usage } from '#shared/chat.ts';

/** OpenAI's numbers; `estimated` where the bridge counted, since Puter did not. */
export interface UsageBody {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Only where some were. */
  prompt_tokens_details?: { cached_tokens: number };
  estimated?: true;
}

/** The sum over all choices; null where one of them has none. */
export function toUsageBody(usages: readonly (Usage | null)[]): UsageBody | null {
  let prompt = 0;
  let completion = 0;
  let cached = 0;
  for (const usage of usages) {
    if (!usage) return null;
    prompt += usage.inputTokens;
    completion += usage.outputTokens;
    cached += usage.cachedTokens ?? 0;
  }
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cached > 0 && { prompt_tokens_details: { cached_tokens: cached } }),
    ...(usages.some((usage) => usage?.isEstimated) && { estimated: true }),
  };
}
