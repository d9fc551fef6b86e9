import type { ChatEvent } from '#shared/chat.ts';

import type { Source } from '../../bridge/flow.ts';
import { EventQueue } from '../../bridge/lifecycle/event-queue.ts';

/** What is there already. */
export function sourceOf<T>(...events: T[]): EventQueue<T> {
  const source = new EventQueue<T>(
    () => 1,
    () => {},
  );
  for (const event of events) source.push(event);
  return source;
}

/** Takes an event whenever it is told to. */
export function createReader<T>(source: Source<T>): { next(): Promise<T> } {
  let asked: PromiseWithResolvers<T> | undefined;
  let failure: { reason: unknown } | undefined;
  source.pipe({
    write(event) {
      asked?.resolve(event);
      return false;
    },
    fail(reason) {
      failure = { reason };
      asked?.reject(reason);
    },
  });
  return {
    next() {
      if (failure) return Promise.reject(failure.reason);
      asked = Promise.withResolvers();
      source.resume();
      return asked.promise;
    },
  };
}

/** Takes whatever comes, into `events`, until it ends. Rejects with what it fails with. */
export function readAll<T extends ChatEvent>(source: Source<T>, events: T[] = []): Promise<T[]> {
  return new Promise((resolve, reject) => {
    source.pipe({
      write(event) {
        events.push(event);
        if (event.type === 'finish') resolve(events);
        return true;
      },
      fail: reject,
    });
    source.resume();
  });
}
