import type { Usage } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';

/** A call as its person sees it: who asked which model, never what. Times are milliseconds since 1970. */
export interface RunningCall {
  requestId: string;
  /** Null where nobody named one. */
  model: string | null;
  /** The user agent of the program that asked. */
  caller: string | null;
  startedAt: number;
}

export interface FinishedCall extends RunningCall {
  finishedAt: number;
  /** In and out together, as Puter counted them. */
  tokens: number | null;
  failure: Pick<Failure, 'code' | 'message'> | null;
}

/** What runs now and what ended last, for the popup. It lives as long as the background page and is stored nowhere. */
export interface Activity {
  start(call: Omit<RunningCall, 'startedAt'>): void;
  /** Tells how a call ended; one that is not running (any more) is left alone. */
  finish(requestId: string, outcome: { usage: Usage | null } | { failure: Failure }): void;
  running(): RunningCall[];
  /** The last ten, newest first. */
  finished(): FinishedCall[];
}

const kept = 10;
/** A provider's message can be long, and may repeat what it was sent. */
const maxReasonChars = 200;

export function createActivity(options: { now: () => number; onChange: () => void }): Activity {
  const { now, onChange } = options;
  const running = new Map<string, RunningCall>();
  const finished: FinishedCall[] = [];

  return {
    start(call) {
      running.set(call.requestId, { ...call, startedAt: now() });
      onChange();
    },
    finish(requestId, outcome) {
      const call = running.get(requestId);
      if (!call) return;
      running.delete(requestId);
      // The clock may have been set back meanwhile, and no call ends before it starts.
      const finishedAt = Math.max(now(), call.startedAt);
      finished.unshift({ ...call, finishedAt, ...describe(outcome) });
      finished.length = Math.min(finished.length, kept);
      onChange();
    },
    running: () => [...running.values()],
    finished: () => [...finished],
  };
}

function describe(outcome: Parameters<Activity['finish']>[1]): Pick<FinishedCall, 'tokens' | 'failure'> {
  if ('failure' in outcome) {
    const { code, message } = outcome.failure;
    return { tokens: null, failure: { code, message: message.slice(0, maxReasonChars) } };
  }
  const { usage } = outcome;
  return { tokens: usage && usage.inputTokens + usage.outputTokens, failure: null };
}
