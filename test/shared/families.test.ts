import { describe, expect, it } from 'vitest';

import {
  isClaude,
  isGemini,
  isOpenAi,
  losesParallelCalls,
  thinksByBudget,
  wantsSignatures,
  wantsThoughts,
} from '#shared/families.ts';

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

describe('OpenAI', () => {
  it.each(['gpt-5', 'GPT-4o', 'openai/o3-mini', 'openai:openai/chatgpt-4o', 'azure:openai/gpt-5.1'])(
    'is who answers under %s',
    (model) => expect(isOpenAi(asked(model))).toBe(true),
  );

  it.each(['openrouter:openai/gpt-5', 'openai/gpt-oss-120b', 'ollama:gpt-5', 'grok-4', undefined])(
    'is not who answers under %s',
    (model) => expect(isOpenAi(asked(model))).toBe(false),
  );
});

describe('Gemini', () => {
  it.each(['gemini-2.5-flash', 'google/gemini-3-pro', 'google:google/gemini-3-pro'])('is %s', (model) =>
    expect(isGemini(asked(model))).toBe(true),
  );

  it.each(['openrouter:google/gemini-3-pro', 'gemma-3', undefined])('is not %s', (model) =>
    expect(isGemini(asked(model))).toBe(false),
  );
});

describe('a model that wants its thoughts back', () => {
  it.each(['deepseek-v4-flash', 'kimi-k2.6', 'moonshot/kimi-k2.5', 'openrouter:deepseek/deepseek-v4', 'Kimi'])(
    'is %s',
    (model) => expect(wantsThoughts(asked(model))).toBe(true),
  );

  it.each(['gpt-5', 'claude-sonnet-5', undefined])('is not %s', (model) =>
    expect(wantsThoughts(asked(model))).toBe(false),
  );
});

describe('a model that wants a signature back with every call', () => {
  it.each(['gemini-3-pro-preview', 'google/gemini-3.5-flash', 'google:google/gemini-4'])('is %s', (model) =>
    expect(wantsSignatures(asked(model))).toBe(true),
  );

  it.each(['gemini-2.5-pro', 'openrouter:google/gemini-3-pro', 'gpt-5', undefined])('is not %s', (model) =>
    expect(wantsSignatures(asked(model))).toBe(false),
  );
});

describe('a model that is told of one call at a time', () => {
  it.each([
    'gpt-5-codex',
    'openai/gpt-5.1-codex-mini',
    'azure:openai/gpt-5.4-mini',
    'gpt-5.5-pro-2026-04-23',
    'o3-pro',
  ])('is %s', (model) => expect(losesParallelCalls(asked(model))).toBe(true));

  it.each(['gpt-5-nano', 'gpt-4o-mini', 'o3-mini', 'openrouter:openai/gpt-5-codex', 'gemini-3-pro', undefined])(
    'is not %s',
    (model) => expect(losesParallelCalls(asked(model))).toBe(false),
  );
});

describe('a Claude that thinks by a budget', () => {
  it.each([
    ...[
      'claude-sonnet-4-5-20250929',
      'anthropic/claude-haiku-4-5',
      'claude-haiku-4.5-latest',
      'claude-opus-4-20250514',
    ],
    ...['claude-3-7-sonnet-latest', 'claude-4-5-haiku', 'claude-haiku'],
  ])('is %s', (model) => expect(thinksByBudget(asked(model))).toBe(true));

  it.each([
    ...['claude-opus-4-6', 'anthropic/claude-sonnet-4.6', 'claude-sonnet-5', 'claude-fable-5-1'],
    ...['openrouter:anthropic/claude-sonnet-4.5', 'gpt-5', undefined],
  ])('is not %s', (model) => expect(thinksByBudget(asked(model))).toBe(false));
});
