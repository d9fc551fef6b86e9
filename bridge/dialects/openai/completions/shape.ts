import type OpenAI from 'openai';

import type { FinishReason } from '#shared/chat.ts';

import type { About, Shape } from '../respond.ts';

/** Answers in the words of the older Completions. `echoes` is what each choice begins with. */
export const createShape = (echoes: readonly string[]): Shape => ({
  prefix: 'cmpl-',
  whole: (about, answers) =>
    toBody(
      about,
      answers.map(({ text, finishReason }, index) => toChoice(index, (echoes[index] ?? '') + text, finishReason)),
    ),
  chunk: (about, choices) => toBody(about, choices as OpenAI.CompletionChoice[]),
  teller(index, send) {
    let before = echoes[index] ?? '';
    return (event) => {
      if (event.type !== 'text' && event.type !== 'finish') return;
      const text = before + (event.type === 'text' ? event.text : '');
      before = '';
      send(toChoice(index, text, event.type === 'finish' ? event.finishReason : null));
    };
  },
});

const toBody = (about: About, choices: OpenAI.CompletionChoice[]): OpenAI.Completion => ({
  ...about,
  object: 'text_completion',
  choices,
});

const toChoice = (index: number, text: string, finishReason: FinishReason | null) =>
  // OpenAI's description has no choice without an end, yet its own streams do.
  ({ index, text, logprobs: null, finish_reason: toReason(finishReason) }) as OpenAI.CompletionChoice;

/** Nothing else ends a text here: no tool is offered. */
const toReason = (reason: FinishReason | null): OpenAI.CompletionChoice['finish_reason'] | null =>
  reason === 'tool_calls' ? 'stop' : reason;
