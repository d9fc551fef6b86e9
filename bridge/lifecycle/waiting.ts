import { BridgeError } from '#shared/errors.ts';

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
  entries(): Entry[];
  readonly size: number;
}

export interface WaitingLimits {
  maxQueued: number;
  /** Of one caller. */
  maxQueuedPerScope: number;
  queueTimeoutMs: number;
}

export function createWaiting(options: WaitingLimits & { onTimeout: (entry: Entry) => void }): Waiting {
  const { maxQueued, maxQueuedPerScope, queueTimeoutMs, onTimeout } = options;
  const queue = createQueue<Entry>();

  function startClock(entry: Entry): void {
    entry.queueTimer = setTimeout(() => onTimeout(entry), queueTimeoutMs);
  }

  return {
    add(entry) {
      const { scope, priority } = entry.submitter;
      if (queue.size >= maxQueued) throw new BridgeError('queue_full', sentences.full);
      if (queue.sizeOf(scope) >= maxQueuedPerScope) throw new BridgeError('client_queue_full', sentences.share);
      queue.push(entry, scope, priority);
      startClock(entry);
    },
    putBack(entry) {
      queue.putBack(entry, entry.submitter.scope, entry.submitter.priority);
      startClock(entry);
    },
    next() {
      const entry = queue.next();
      if (entry) stopClock(entry);
      return entry;
    },
    remove(entry) {
      if (queue.remove(entry)) stopClock(entry);
    },
    entries: queue.items,
    get size() {
      return queue.size;
    },
  };
}

function stopClock(entry: Entry): void {
  clearTimeout(entry.queueTimer);
  entry.queueTimer = undefined;
}

const sentences = {
  full: 'Too many requests wait already. Send it again in a moment.',
  share: 'Too many of your requests wait already. Send it again when some of them are answered.',
};
