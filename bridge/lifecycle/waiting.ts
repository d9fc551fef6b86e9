import { BridgeError } from '#shared/errors.ts';
import { createTransientMap } from '#shared/transient-map.ts';

import type { StartTimer } from '../timers.ts';
import type { Entry } from './entry.ts';
import { createQueue } from './queue.ts';

/** Requests that wait for a lane, in the order in which they go: not too many of them, and none for too long. */
export interface Waiting {
  /** Throws `queue_full` or `client_queue_full`. */
  add(entry: Entry): void;
  /** It goes next, since it had its turn already. */
  putBack(entry: Entry): void;
  next(): Entry | undefined;
  remove(entry: Entry): void;
  entries(): Iterable<Entry>;
  readonly size: number;
}

export interface WaitingLimits {
  maxQueued: number;
  /** Of one caller. */
  maxQueuedPerScope: number;
  queueTimeoutMs: number;
}

export function createWaiting(
  options: WaitingLimits & { startTimer: StartTimer; onTimeout: (entry: Entry) => void },
): Waiting {
  const { maxQueued, maxQueuedPerScope, queueTimeoutMs, startTimer, onTimeout } = options;
  const entries = createTransientMap<Entry>();
  /** Of their ids, since whatever stands in a map that comes and goes is kept for longer than it is there. */
  const queue = createQueue<string>();

  function take(entry: Entry): void {
    entries.set(entry.requestId, entry);
    entry.queueTimer = startTimer(queueTimeoutMs, () => onTimeout(entry));
  }

  function leave(entry: Entry): void {
    entries.delete(entry.requestId);
    entry.queueTimer?.stop();
    entry.queueTimer = undefined;
  }

  return {
    add(entry) {
      const { scope, priority } = entry.submitter;
      if (queue.size >= maxQueued) throw new BridgeError('queue_full', sentences.full);
      if (queue.sizeOf(scope) >= maxQueuedPerScope) throw new BridgeError('client_queue_full', sentences.share);
      queue.push(entry.requestId, scope, priority);
      take(entry);
    },
    putBack(entry) {
      queue.putBack(entry.requestId, entry.submitter.scope, entry.submitter.priority);
      take(entry);
    },
    next() {
      const requestId = queue.next();
      const entry = requestId === undefined ? undefined : entries.get(requestId);
      if (entry) leave(entry);
      return entry;
    },
    remove(entry) {
      if (queue.remove(entry.requestId)) leave(entry);
    },
    entries: entries.values,
    get size() {
      return queue.size;
    },
  };
}

const sentences = {
  full: 'Too many requests wait already. Send it again in a moment.',
  share: 'Too many of your requests wait already. Send it again when some of them are answered.',
};
