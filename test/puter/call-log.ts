import type { ServerResponse } from 'node:http';

/** One driver call that reached a model. */
export interface DriverCall {
  readonly id: number;
  /** As asked, or the stand-in's default. */
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly unknown[];
  readonly args: Readonly<Record<string, unknown>>;
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly status: 'running' | CallEnd;
  readonly closed: Promise<CallEnd>;
}

/** `aborted`: the connection closed before the answer was complete, by whichever side. */
type CallEnd = 'finished' | 'aborted';

export interface CallLog {
  readonly calls: DriverCall[];
  /** How many are running. */
  running: () => number;
  /** Notes a call and follows its response to the end. */
  open: (res: ServerResponse, call: Pick<DriverCall, 'model' | 'stream' | 'messages' | 'args' | 'token'>) => void;
  /** The next call that arrives, of those the predicate accepts. */
  next: (accepts?: (call: DriverCall) => boolean) => Promise<DriverCall>;
}

export function createCallLog(): CallLog {
  const calls: DriverCall[] = [];
  const waiting = new Set<(call: DriverCall) => void>();
  let opened = 0;
  let running = 0;
  return {
    calls,
    running: () => running,
    open(res, asked) {
      const { promise: closed, resolve } = Promise.withResolvers<CallEnd>();
      const call = { ...asked, id: ++opened, startedAt: Date.now(), status: 'running' as DriverCall['status'], closed };
      running++;
      res.once('close', () => {
        running--;
        const end = res.writableFinished ? 'finished' : 'aborted';
        call.status = end;
        resolve(end);
      });
      calls.push(call);
      for (const offer of waiting) offer(call);
    },
    next(accepts = () => true) {
      const { promise, resolve } = Promise.withResolvers<DriverCall>();
      const offer = (call: DriverCall) => {
        if (!accepts(call)) return;
        waiting.delete(offer);
        resolve(call);
      };
      waiting.add(offer);
      return promise;
    },
  };
}
