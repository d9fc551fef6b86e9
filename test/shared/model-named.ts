import type { Model } from '#shared/models.ts';

/** A model of which Puter tells nothing but its names. */
export const modelNamed = (id: string, ...aliases: string[]): Model => ({
  id,
  aliases,
  provider: null,
  contextTokens: null,
  maxOutputTokens: null,
  inputPrice: null,
  outputPrice: null,
  inputs: null,
  tools: null,
  reasoning: null,
  releasedAt: null,
});
