import type { ChatRequest } from './chat.ts';

/**
 * Which models are a maker's own, reached at the maker itself. Puter lists those as `name`, `maker/name` or
 * `maker:maker/name`; where it goes through a reseller, who takes one shape for all, that one's name stands first
 * (`openrouter:anthropic/claude-…`).
 */
function madeBy(makers: string, names: string): (chat: Pick<ChatRequest, 'model'>) => boolean {
  const pattern = new RegExp(`^((${makers})[/:])*(${names})`, 'i');
  return ({ model = '' }) => pattern.test(model);
}

/** Claude is the one family whose provider takes its own shapes. */
export const isClaude = madeBy('anthropic', 'claude');

/** Not the open models, which others run. */
export const isOpenAi = madeBy('openai|azure', 'gpt(?!-oss)|chatgpt|o\\d');

export const isGemini = madeBy('google', 'gemini');
