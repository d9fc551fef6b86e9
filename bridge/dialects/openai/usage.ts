import type { Usage } from '#shared/chat.ts';

/** OpenAI's three numbers; `estimated` where the bridge counted, since Puter did not. */
export interface UsageBody {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  estimated?: true;
}

/** The sum over all choices; null where one of them has none. */
export function toUsageBody(usages: readonly (Usage | null)[]): UsageBody | null {
  let prompt = 0;
  let completion = 0;
  for (const usage of usages) {
    if (!usage) return null;
    prompt += usage.inputTokens;
    completion += usage.outputTokens;
  }
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(usages.some((usage) => usage?.isEstimated) && { estimated: true }),
  };
}
