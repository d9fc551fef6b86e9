/**
 * What one side puts in as it comes and one reader takes out as it can: what a `ReadableStream` does, at a tenth of its
 * cost. It ends once, well or badly; a bad end leaves out what was not read yet.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #size: (item: T) => number;
  readonly #onTake: () => void;
  #items: T[] = [];
  /** How many of the items were read: to take them out of the array one by one would move all others. */
  #taken = 0;
  #unread = 0;
  #end: { reason: Error | null } | undefined;
  #reader: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;

  /** `onTake` is called whenever the reader has taken something. */
  constructor(size: (item: T) => number, onTake: () => void) {
    this.#size = size;
    this.#onTake = onTake;
  }

  push(item: T): void {
    if (this.#end) return;
    if (this.#reader) {
      this.#reader.resolve({ value: item, done: false });
      this.#reader = undefined;
      this.#onTake();
    } else {
      this.#items.push(item);
      this.#unread += this.#size(item);
    }
  }

  close(): void {
    if (this.#end) return;
    this.#end = { reason: null };
    this.#reader?.resolve(done);
    this.#reader = undefined;
  }

  fail(reason: Error): void {
    if (this.#end) return;
    this.#end = { reason };
    [this.#items, this.#taken] = [[], 0];
    this.#reader?.reject(reason);
    this.#reader = undefined;
  }

  /** The sizes of all that was not read yet; 0 after the end. */
  unread(): number {
    return this.#end ? 0 : this.#unread;
  }

  hasEnded(): boolean {
    return this.#end !== undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    if (this.#taken < this.#items.length) {
      const value = this.#items[this.#taken] as T;
      this.#taken += 1;
      if (this.#taken === this.#items.length) [this.#items, this.#taken] = [[], 0];
      this.#unread -= this.#size(value);
      this.#onTake();
      return Promise.resolve({ value, done: false });
    }
    if (this.#end?.reason) return Promise.reject(this.#end.reason);
    if (this.#end) return Promise.resolve(done);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }
}

const done = { value: undefined, done: true } as const;
