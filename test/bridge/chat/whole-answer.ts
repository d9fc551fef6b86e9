import type { WholeAnswer } from '../../../bridge/chat/collect.ts';

/** An answer that says that text and nothing else, but for the change. */
export const wholeAnswer = (text: string, change: Partial<WholeAnswer> = {}): WholeAnswer => ({
  text,
  reasoning: '',
  refusal: null,
  toolCalls: [],
  finishReason: 'stop',
  model: null,
  usage: null,
  ...change,
});
