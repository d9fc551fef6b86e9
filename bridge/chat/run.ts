import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

/**
 * A chat on its way, for as many readers as want it: each sees all of it, from the beginning. It goes on at the pace of
 * the fastest reader, or by itself once it is told to.
 */
export interface Run {
  read(): AsyncGenerator<ChatEvent>;
  /** Goes on to the end although nobody reads. */
  finish(): Promise<void>;
}

/** `onOver` learns how it ended, once; no reader does before that has resolved. */
export function createRun(
  events: AsyncIterable<ChatEvent>,
  onOver: (end: { events: readonly ChatEvent[] } | { error: BridgeError }) => Promise<void>,
): Run {
  const source = events[Symbol.asyncIterator]();
  const log: ChatEvent[] = [];
  let isOver = false;
  let failure: BridgeError | undefined;
  let advancing: Promise<void> | undefined;
  const isOpen = () => !isOver;

  async function advance(): Promise<void> {
    try {
      const { value: event } = (await source.next()) as IteratorResult<ChatEvent, undefined>;
      if (!event) throw endless();
      if (event.type === 'finish') {
        await onOver({ events: [...log, event] });
        isOver = true;
      }
      log.push(event);
    } catch (error) {
      failure = error instanceof BridgeError ? error : endless(error);
      await onOver({ error: failure });
      isOver = true;
    }
  }

  async function step(): Promise<void> {
    advancing ??= advance().finally(() => (advancing = undefined));
    await advancing;
  }

  return {
    async *read() {
      for (let next = 0; ; next += 1) {
        while (next === log.length && isOpen()) await step();
        const event = log[next];
        if (event) yield event;
        else if (failure) throw failure;
        else return;
      }
    },
    async finish() {
      while (isOpen()) await step();
    },
  };
}

const endless = (cause?: unknown) =>
  new BridgeError('internal_error', 'The answer ended without an end. Please report this.', { cause });
