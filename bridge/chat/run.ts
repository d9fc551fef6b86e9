import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

/**
 * A chat on its way, for as many readers as want it: each sees all of it, from the beginning. It goes on at the pace of
 * the fastest reader, or by itself once it is told to.
 */
export class Run implements AsyncIterable<ChatEvent> {
  readonly #source: AsyncIterable<ChatEvent>;
  readonly #onOver: (end: RunEnd) => Promise<void>;
  readonly #log: ChatEvent[] = [];
  #end: { failure: BridgeError | null } | undefined;
  #running: Promise<void> | undefined;
  #isAlone = false;
  /** What readers wait for. */
  #more: PromiseWithResolvers<void> | undefined;
  /** What the source waits for. */
  #demand: PromiseWithResolvers<void> | undefined;

  /** `onOver` learns how it ended, once; no reader does before that has resolved. */
  constructor(source: AsyncIterable<ChatEvent>, onOver: (end: RunEnd) => Promise<void>) {
    this.#source = source;
    this.#onOver = onOver;
  }

  /** Goes on to the end although nobody reads, and resolves there. */
  finish(): Promise<void> {
    this.#isAlone = true;
    return this.#goOn();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent, undefined> {
    for (let next = 0; ; next += 1) {
      while (next === this.#log.length && !this.#end) await this.#readOn();
      const event = this.#log[next];
      if (event) yield event;
      else if (this.#end?.failure) throw this.#end.failure;
      else return;
    }
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#source) {
        if (event.type === 'finish') {
          await this.#onOver({ events: [...this.#log, event] });
          this.#log.push(event);
          return this.#finishWith(null);
        }
        this.#log.push(event);
        this.#tellReaders();
        if (this.#isAlone) continue;
        // A reader that wants more says so once it has seen this.
        this.#demand = Promise.withResolvers();
        await this.#demand.promise;
      }
      throw endless();
    } catch (error) {
      const failure = error instanceof BridgeError ? error : endless(error);
      await this.#onOver({ error: failure });
      this.#finishWith(failure);
    }
  }

  #finishWith(failure: BridgeError | null): void {
    this.#end = { failure };
    this.#tellReaders();
  }

  #tellReaders(): void {
    this.#more?.resolve();
    this.#more = undefined;
  }

  #goOn(): Promise<void> {
    this.#running ??= this.#run();
    this.#demand?.resolve();
    return this.#running;
  }

  #readOn(): Promise<void> {
    this.#more ??= Promise.withResolvers();
    void this.#goOn();
    return this.#more.promise;
  }
}

type RunEnd = { events: readonly ChatEvent[] } | { error: BridgeError };

const endless = (cause?: unknown) =>
  new BridgeError('internal_error', 'The answer ended without an end. Please report this.', { cause });
