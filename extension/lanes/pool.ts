import type { AnswerEnd, AnswerPart, ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';

import type { LaneJob, LaneMessage } from './lane-messages.ts';

/** The part of a dedicated worker that the pool needs. */
export interface LaneWorker {
  postMessage(job: LaneJob): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<LaneMessage>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

export interface CallHandlers {
  onParts(parts: AnswerPart[]): void;
  /** `parts` is the last of it. */
  onEnd(end: AnswerEnd, parts: AnswerPart[]): void;
  onError(error: Failure): void;
}

export interface RunningCall {
  /** Ends the worker, and with it the connection to Puter. No handler is called any more. */
  cancel(): void;
}

export interface LanePool {
  run(chat: ChatRequest, handlers: CallHandlers): RunningCall;
  /** Lanes loaded before now are not used again: they know the old addresses of Puter. */
  renew(): void;
}

/**
 * Workers that run one call each. A lane takes about 100 ms to load puter.js, so one more than is busy is kept
 * warm; after a call a lane is used again.
 */
export function createLanePool(options: {
  lanes: () => number;
  spawn: () => LaneWorker;
  /** Read when a call starts, so that a lane never holds an old token. */
  token: () => string;
}): LanePool {
  const { lanes, spawn, token } = options;
  const idle: LaneWorker[] = [];
  const busy = new Map<LaneWorker, CallHandlers>();
  const outdated = new WeakSet<LaneWorker>();

  function spawnLane(): LaneWorker {
    const worker = spawn();
    worker.onerror = (event) => {
      const handlers = busy.get(worker);
      const message = `The extension failed while it called Puter: ${event.message}`;
      discard(worker);
      handlers?.onError({ code: 'extension_failed', message });
    };
    worker.onmessage = ({ data }) => {
      const handlers = busy.get(worker);
      if (data.type === 'parts') return handlers?.onParts(data.parts);
      release(worker);
      if (data.type === 'end') handlers?.onEnd(data.end, data.parts);
      else handlers?.onError(data.error);
    };
    return worker;
  }

  function keepOneWarm(): void {
    if (idle.length === 0 && busy.size <= lanes()) idle.push(spawnLane());
  }

  function release(worker: LaneWorker): void {
    busy.delete(worker);
    if (idle.length < lanes() && !outdated.has(worker)) idle.push(worker);
    else worker.terminate();
  }

  function discard(worker: LaneWorker): void {
    // A lane that broke while idle is only missed, and replaced, when the next call takes one.
    if (busy.delete(worker)) keepOneWarm();
    else if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    worker.terminate();
  }

  keepOneWarm();

  return {
    run(chat, handlers) {
      const worker = idle.pop() ?? spawnLane();
      busy.set(worker, handlers);
      worker.postMessage({ chat, token: token() });
      keepOneWarm();
      return {
        cancel() {
          // Once the call has ended, the lane may be running another.
          if (busy.get(worker) === handlers) discard(worker);
        },
      };
    },
    renew() {
      for (const worker of idle.splice(0)) worker.terminate();
      for (const worker of busy.keys()) outdated.add(worker);
      keepOneWarm();
    },
  };
}
