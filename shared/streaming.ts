import type { ChatRequest } from './chat.ts';
import { isClaude } from './families.ts';

/**
 * Whether a call is asked of Puter as a stream, so that its answer begins before it is whole. Puter's stream keeps only the
 * last of several tool calls, its whole answer keeps all (measured). Claude is the one family that Puter never lets call
 * two tools at once, so nothing is lost there. JSON is worth nothing before it is whole, and only a whole answer says that
 * it was cut off.
 */
export const isSafeToStream = (chat: ChatRequest): boolean =>
  chat.responseFormat === undefined && ((chat.tools ?? []).length === 0 || isClaude(chat));
