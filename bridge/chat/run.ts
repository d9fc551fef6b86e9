import type { ChatEvent, Finish } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Sink, Source } from '../flow.ts';

/**
 * A chat on its way, for as many readers as want it: each gets all of it, from the beginning. It goes on at the pace of
 * the fastest reader, or by itself once it is told to.
 */
export class Run implements Sink<ChatEvent> {
  readonly #source: Source<ChatEvent>;
  readonly #onOver: RunOver;
  readonly #log: Said[] = [];
  readonly #readers: Reader[] = [];
  readonly #over = Promise.withResolvers<void>();
  #failure: BridgeError | undefined;
  #isAlone = false;
  /** From here on, all that was said are texts that can be joined. */
  #loose = 0;

  constructor(source: Source<ChatEvent>, onOver: RunOver) {
    this.#source = source;
    this.#onOver = onOver;
    source.pipe(this);
  }

  /** Goes on to the end although nobody reads, and resolves there. */
  finish(): Promise<void> {
    this.#isAlone = true;
    this.#source.resume();
    return this.#over.promise;
  }

  /** For one more reader. */
  read(): Source<ChatEvent> {
    const reader: Reader = new Reader(this.#log, () => {
      if (this.#failure) reader.fail(this.#failure);
      else this.#source.resume();
    });
    this.#readers.push(reader);
    return reader;
  }

  write(event: ChatEvent): boolean {
    if (event.type === 'finish') {
      void this.#endWith(event);
      return true;
    }
    this.#log.push(event.type === 'text' ? event.text : event);
    if (event.type !== 'text') this.#loose = this.#log.length;
    const isWanted = this.#tellReaders() || this.#isAlone;
    if (this.#log.length - this.#loose >= joinedAtOnce) this.#join();
    return isWanted;
  }

  fail(reason: unknown): void {
    void this.#breakWith(reason);
  }

  async #endWith(finish: Finish): Promise<void> {
    try {
      this.#log.push(await this.#onOver.ended(this.#events(finish)));
    } catch (error) {
      return this.#breakWith(error);
    }
    this.#tellReaders();
    this.#over.resolve();
  }

  async #breakWith(reason: unknown): Promise<void> {
    const error = reason instanceof BridgeError ? reason : brokenOff(reason);
    await this.#onOver.failed(error);
    this.#failure = error;
    for (const reader of this.#readers) if (reader.readOn()) reader.fail(error);
    this.#over.resolve();
  }

  /** Nobody has to read it piece by piece any more: who comes later gets the same words at once. */
  #join(): void {
    if (!this.#readers.every((reader) => reader.hasReadAll())) return;
    const texts = this.#log.splice(this.#loose) as string[];
    this.#log.push(texts.join(''));
    this.#loose = this.#log.length;
    for (const reader of this.#readers) reader.skipAll();
  }

  *#events(finish: Finish): Generator<ChatEvent> {
    for (const said of this.#log) yield toEvent(said);
    yield finish;
  }

  /** True where one of them wants more than there is. */
  #tellReaders(): boolean {
    let isWanted = false;
    for (const reader of this.#readers) isWanted = reader.readOn() || isWanted;
    return isWanted;
  }
}

/** Of a text its words alone. */
type Said = string | ChatEvent;

/** Thousands of pieces live for as long as their chat, and each is an object that garbage collection has to move. */
const joinedAtOnce = 8;

const toEvent = (said: Said): ChatEvent => (typeof said === 'string' ? { type: 'text', text: said } : said);

/** Learns how a run ended, before any reader of it does. */
export interface RunOver {
  /**
   * These came, the finish last, to be read once and at once. Resolves with the finish for the readers; where it rejects,
   * the run failed with that.
   */
  ended(events: Iterable<ChatEvent>): Promise<Finish>;
  failed(error: BridgeError): Promise<void>;
}

const brokenOff = (cause: unknown) =>
  new BridgeError('internal_error', 'The answer broke off inside the bridge. Please report this.', { cause });

/** One reader's way through what a chat has said so far. */
class Reader implements Source<ChatEvent> {
  readonly #log: readonly Said[];
  readonly #onAllRead: () => void;
  #sink: Sink<ChatEvent> | undefined;
  #next = 0;
  #isWanted = false;

  /** `onAllRead` is called where the sink wants more than there is. */
  constructor(log: readonly Said[], onAllRead: () => void) {
    this.#log = log;
    this.#onAllRead = onAllRead;
  }

  pipe(sink: Sink<ChatEvent>): void {
    this.#sink = sink;
  }

  resume(): void {
    // Nobody is there any more to want anything.
    if (!this.#sink) return;
    this.#isWanted = true;
    if (this.readOn()) this.#onAllRead();
  }

  /** True where the sink wants more than there is. */
  readOn(): boolean {
    while (this.#isWanted && this.#next < this.#log.length) {
      const event = toEvent(this.#log[this.#next] as Said);
      this.#next += 1;
      try {
        this.#isWanted = this.#sink?.write(event) ?? false;
      } catch (error) {
        // It fails alone: what others read, and what is kept of the answer, has nothing to do with it.
        this.fail(error);
      }
    }
    return this.#isWanted;
  }

  hasReadAll(): boolean {
    return this.#next === this.#log.length;
  }

  /** Goes on behind all that is there: what this had read stands there in fewer pieces now. */
  skipAll(): void {
    this.#next = this.#log.length;
  }

  /** Once. */
  fail(reason: unknown): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#isWanted = false;
    sink?.fail(reason);
  }
}
