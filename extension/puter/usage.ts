import type { Usage } from '#shared/chat.ts';

const usageSpellings = [
  ['prompt', 'completion'],
  ['prompt_tokens', 'completion_tokens'],
  ['input_tokens', 'output_tokens'],
] as const;

/** Tokens in whichever spelling they come; null where there are none or they make no sense. */
export function readUsage(usage: unknown): Usage | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const counts = usage as Record<string, unknown>;
  for (const [input, output] of usageSpellings) {
    const inputTokens = counts[input];
    const outputTokens = counts[output];
    if (isCount(inputTokens) && isCount(outputTokens)) return { inputTokens, outputTokens };
  }
  return null;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
