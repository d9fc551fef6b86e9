import { describe, expect, it } from 'vitest';

import { isClaude } from '#shared/families.ts';

const asked = (model: string | undefined) => (model === undefined ? {} : { model });

describe('Claude', () => {
  it.each([
    ...['claude-sonnet-5', 'CLAUDE', 'anthropic/claude-opus-5'],
    ...['anthropic:claude-opus-5', 'Anthropic:anthropic/Claude-3-haiku'],
  ])('is who answers under %s', (model) => expect(isClaude(asked(model))).toBe(true));

  it.each([
    ...['openrouter:anthropic/claude-sonnet-4', 'openrouter/anthropic/claude-sonnet-4', 'infron:anthropic/claude-x'],
    ...['my-claude-like', 'gpt-5', '', undefined],
  ])('is not who Puter asks itself under %s', (model) => expect(isClaude(asked(model))).toBe(false));
});
