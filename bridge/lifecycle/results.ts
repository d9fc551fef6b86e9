import type { AnswerEnd } from '#shared/chat.ts';
import type { BridgeError } from '#shared/errors.ts';

/** A whole answer, collected. */
export interface Answer extends AnswerEnd {
  text: string;
  durationMs: number;
}

export type Result =
  | { status: 'pending' }
  | { status: 'success'; answer: Answer }
  | { status: 'error'; error: BridgeError };

/**
 * Results by request id, for callers that fetch them later. Finished ones are kept for `ttlMs`, while they are
 * not too many, and while all of them together stay below `maxChars`; the oldest go first, pending ones never.
 */
export interface Results {
  /** Keeps `answer` under `requestId` as soon as it settles; resolves (never rejects) with what it came to. */
  track(requestId: string, answer: Promise<Answer>): Promise<Result>;
  get(requestId: string): Result | undefined;
}

/** Many results without any text fill a memory, too. */
const maxResults = 10_000;

export function createResults(options: {
  ttlMs: number;
  maxChars: number;
  now: () => number;
  toError: (reason: unknown) => BridgeError;
}): Results {
  const { ttlMs, maxChars, now, toError } = options;
  const pending = new Set<string>();
  // A Map keeps the order of insertion, and that is the order of finishing: the oldest comes first.
  const finished = new Map<string, { result: Result; at: number; chars: number }>();
  let total = 0;

  function keep(requestId: string, result: Result): Result {
    const chars = result.status === 'success' ? result.answer.text.length : 0;
    pending.delete(requestId);
    finished.set(requestId, { result, at: now(), chars });
    total += chars;
    for (const [id, entry] of finished) {
      if (id === requestId || (finished.size <= maxResults && total <= maxChars && entry.at + ttlMs > now())) break;
      finished.delete(id);
      total -= entry.chars;
    }
    return result;
  }

  return {
    track(requestId, answer) {
      pending.add(requestId);
      return answer.then(
        (value) => keep(requestId, { status: 'success', answer: value }),
        (reason: unknown) => keep(requestId, { status: 'error', error: toError(reason) }),
      );
    },
    get(requestId) {
      if (pending.has(requestId)) return { status: 'pending' };
      const entry = finished.get(requestId);
      return entry && entry.at + ttlMs > now() ? entry.result : undefined;
    },
  };
}
