import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

/**
 * A chat on its way, for as many readers as want it: each sees all of it, from the beginning. It goes on at the pace of
 * the fastest reader, or by itself once it is told to.
 */
export interface Run {
  events: AsyncIterable<ChatEvent>;
  /** Goes on to the end although nobody reads, and resolves there. */
  finish(): Promise<void>;
}

/** `onOver` learns how it ended, once; no reader does before that has resolved. */
export function createRun(
  source: AsyncIterable<ChatEvent>,
  onOver: (end: { events: readonly ChatEvent[] } | { error: BridgeError }) => Promise<void>,
): Run {
  const log: ChatEvent[] = [];
  let end: { failure: BridgeError | null } | undefined;
  let running: Promise<void> | undefined;
  let isAlone = false;
  /** What readers wait for. */
  let more: PromiseWithResolvers<void> | undefined;
  /** What the source waits for. */
  let demand: PromiseWithResolvers<void> | undefined;

  async function run(): Promise<void> {
    try {
      for await (const event of source) {
        if (event.type === 'finish') {
          await onOver({ events: [...log, event] });
          log.push(event);
          return finishWith(null);
        }
        log.push(event);
        tellReaders();
        if (isAlone) continue;
        // A reader that wants more says so once it has seen this.
        demand = Promise.withResolvers();
        await demand.promise;
      }
      throw endless();
    } catch (error) {
      const failure = error instanceof BridgeError ? error : endless(error);
      await onOver({ error: failure });
      finishWith(failure);
    }
  }

  function finishWith(failure: BridgeError | null): void {
    end = { failure };
    tellReaders();
  }

  function tellReaders(): void {
    more?.resolve();
    more = undefined;
  }

  function goOn(): Promise<void> {
    running ??= run();
    demand?.resolve();
    return running;
  }

  function readOn(): Promise<void> {
    more ??= Promise.withResolvers();
    void goOn();
    return more.promise;
  }

  return {
    events: { [Symbol.asyncIterator]: () => readAll(log, readOn, () => end) },
    finish() {
      isAlone = true;
      return goOn();
    },
  };
}

/** Out here, since a generator function that is made anew for each run has a class of its own, which V8 keeps for long. */
async function* readAll(
  log: readonly ChatEvent[],
  readOn: () => Promise<void>,
  endOf: () => { failure: BridgeError | null } | undefined,
): AsyncGenerator<ChatEvent, undefined> {
  for (let next = 0; ; next += 1) {
    while (next === log.length && !endOf()) await readOn();
    const event = log[next];
    const failure = endOf()?.failure;
    if (event) yield event;
    else if (failure) throw failure;
    else return;
  }
}

const endless = (cause?: unknown) =>
  new BridgeError('internal_error', 'The answer ended without an end. Please report this.', { cause });
