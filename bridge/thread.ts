import { Worker } from 'node:worker_threads';

/** The thread was closed before it had an answer. */
export class ThreadClosedError extends Error {
  override readonly name = 'ThreadClosedError';
  override readonly message = 'The thread was closed.';
}

/** Work that would hold everything else up, done in a thread of its own, one job after the other. */
export interface Thread<Job, Result> {
  /** Rejects where the job took too long or its thread broke; with `ThreadClosedError` once it is closed. */
  ask(job: Job): Promise<Result>;
  close(): Promise<void>;
}

interface Waiting<Job, Result> {
  job: Job;
  resolve: (result: Result) => void;
  reject: (reason: Error) => void;
}

/** What a thread has loaded takes memory, so it goes when nobody asked for this long. */
const idleMs = 60_000;

/**
 * `entry` is a module that answers each message with one message. The thread starts with the first job; one that takes
 * longer than `limitMs` is ended together with its thread, and the jobs behind it get a new one.
 */
export function createThread<Job, Result>(entry: URL, { limitMs }: { limitMs: number }): Thread<Job, Result> {
  const waiting: Waiting<Job, Result>[] = [];
  let current: Waiting<Job, Result> | undefined;
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function start(): Worker {
    const it = new Worker(entry);
    it.unref();
    // What one says that was ended meanwhile is about a job that is over.
    it.on('message', (result: Result) => worker === it && finish(result));
    it.on('error', (error) => worker === it && abandon(error instanceof Error ? error : new Error(String(error))));
    return it;
  }

  function next(): void {
    clearTimeout(timer);
    current = waiting.shift();
    if (!current) {
      timer = setTimeout(() => void stop(), idleMs).unref();
      return;
    }
    worker ??= start();
    timer = setTimeout(() => abandon(new Error(`It took longer than ${limitMs} ms.`)), limitMs).unref();
    worker.postMessage(current.job);
  }

  function finish(result: Result): void {
    current?.resolve(result);
    next();
  }

  function abandon(reason: Error): void {
    void stop();
    current?.reject(reason);
    next();
  }

  async function stop(): Promise<void> {
    const it = worker;
    worker = undefined;
    await it?.terminate();
  }

  return {
    ask(job) {
      if (isClosed) return Promise.reject(new ThreadClosedError());
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      waiting.push({ job, resolve, reject });
      if (!current) next();
      return promise;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await stop();
      for (const { reject } of [...(current ? [current] : []), ...waiting.splice(0)]) reject(new ThreadClosedError());
      current = undefined;
    },
  };
}
