import { BridgeError } from '#shared/errors.ts';

/** The model was asked twice, and neither answer was what the caller asked for. */
export const unusable = (problem: string): BridgeError =>
  new BridgeError(
    'unusable_answer',
    `The model answered twice, but not as asked: ${problem}. Try another model, or ask for less at once.`,
  );
