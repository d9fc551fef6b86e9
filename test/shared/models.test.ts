import { describe, expect, it } from 'vitest';

import { findModel } from '#shared/models.ts';

import { modelNamed } from './model-named.ts';

describe('a model', () => {
  const models = [modelNamed('gpt-5', 'openai/gpt-5'), modelNamed('Claude-4')];

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
