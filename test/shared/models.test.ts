import { describe, expect, it } from 'vitest';

import { findModel, type Model } from '#shared/models.ts';

const model = (id: string, ...aliases: string[]): Model => ({
  ...{ id, aliases, provider: null, contextTokens: null, maxOutputTokens: null, inputPrice: null, outputPrice: null },
  ...{ tools: null, vision: null, releasedAt: null },
});

describe('a model', () => {
  const models = [model('gpt-5', 'openai/gpt-5'), model('Claude-4')];

  it.each([
    ['gpt-5', 'gpt-5'],
    ['OpenAI/GPT-5', 'gpt-5'],
    ['claude-4', 'Claude-4'],
  ])('is found by its id and its other names, in capitals or not: %s', (name, id) => {
    expect(findModel(models, name)?.id).toBe(id);
  });

  it.each(['gpt', '', 'openai'])('is not found by a part of a name: %j', (name) => {
    expect(findModel(models, name)).toBeUndefined();
  });
});
