import type { AnswerEnd, AnswerPart, ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';

/** What the pool asks of a lane, one call at a time. */
export interface LaneJob {
  chat: ChatRequest;
  token: string;
}

/** What a lane answers: any number of parts, then one end, with what is left of them, or one error. */
export type LaneMessage =
  | { type: 'parts'; parts: AnswerPart[] }
  | { type: 'end'; parts: AnswerPart[]; end: AnswerEnd }
  | { type: 'error'; error: Failure };

/** A worker's name is what it can read before it loads puter.js, which takes its origins from globals. */
export interface LaneName {
  apiOrigin: string;
  guiOrigin: string;
}
