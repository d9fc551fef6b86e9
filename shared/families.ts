import type { ChatRequest } from './chat.ts';

/**
 * Which models are a maker's own, reached at the maker itself, as far as a name tells. Puter lists those as `name`,
 * `maker/name` or `maker:maker/name`; where it goes through a reseller, who takes one shape for all, that one's name
 * stands first (`openrouter:anthropic/claude-…`). Its newer servers may ask the maker all the same, where it has the model.
 */
function madeBy(makers: string, names: string): (chat: Pick<ChatRequest, 'model'>) => boolean {
  const pattern = new RegExp(`^((${makers})[/:])*(${names})`, 'i');
  return ({ model = '' }) => pattern.test(model);
}

/** Claude is the one family whose provider takes its own shapes. */
export const isClaude = madeBy('anthropic', 'claude');

/**
 * Claude up to 4.5, and one whose name does not tell: while it is to think, it refuses a call of a tool that comes back
 * without the thoughts before it, as it sealed them. From 4.6 on it decides by itself, and takes what comes.
 */
export const thinksByBudget = madeBy('anthropic', 'claude(?!-[a-z]+-(4[.-][6-9]|[5-9]))');

/** Not the open models, which others run. */
export const isOpenAi = madeBy('openai|azure', 'gpt(?!-oss)|chatgpt|o\\d');

/**
 * OpenAI's models that answer by its newer interface alone: of several calls of tools in one message, Puter hands on to
 * them but one, and they refuse the result of another (newer servers hand on all).
 */
export const losesParallelCalls = madeBy('openai|azure', 'codex|gpt-[\\d.]+-(codex|pro)|gpt-5\\.4-mini|o\\d-pro');

export const isGemini = madeBy('google', 'gemini');

/** Gemini from 3 on: it refuses a call of a tool that comes back without its signature. */
export const wantsSignatures = madeBy('google', 'gemini-[3-9]');

/**
 * DeepSeek's and Moonshot's models, wherever they run: after a call of a tool they refuse a message of theirs that
 * comes back without its thoughts (https://api-docs.deepseek.com/guides/thinking_mode).
 */
export const wantsThoughts = ({ model = '' }: Pick<ChatRequest, 'model'>): boolean =>
  /deepseek|kimi|moonshot/i.test(model);
