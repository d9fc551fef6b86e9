import type { ChatRequest } from '#shared/chat.ts';

import type { WholeAnswer } from './collect.ts';
import { createJsonCheck } from './json-answer.ts';
import { mustCallTool } from './prepare.ts';
import type { Schemas } from './schemas.ts';
import { unusable } from './unusable.ts';

/** An answer that may go out, or what is wrong with it, in words for the model. */
export type Verdict = { answer: WholeAnswer } | { problem: string };

export interface Check {
  /** Rejects where nobody can tell. */
  judge(answer: WholeAnswer): Promise<Verdict>;
  /** What to do with an answer that still is wrong when it was given the second time; throws where nothing can be. */
  settle(answer: WholeAnswer, problem: string): WholeAnswer;
}

/** Null where an answer may go out as it comes. Rejects with `invalid_request` where the schema is none. */
export async function createCheck(request: ChatRequest, schemas: Schemas): Promise<Check | null> {
  const { responseFormat: format } = request;
  const check = mustCallTool(request) ? forcedTool : format ? await createJsonCheck(format, schemas) : null;
  return check && { ...check, judge: async (answer) => (isComplete(answer) ? check.judge(answer) : { answer }) };
}

/** What was cut off or filtered says so itself, and asking again would end the same way. */
const isComplete = ({ finishReason }: WholeAnswer): boolean =>
  finishReason !== 'length' && finishReason !== 'content_filter';

const forcedTool: Check = {
  judge: async (answer) => (answer.toolCalls.length > 0 ? { answer } : { problem: 'it calls no tool' }),
  settle(_answer, problem) {
    throw unusable(problem);
  },
};
