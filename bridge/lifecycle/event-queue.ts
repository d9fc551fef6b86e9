import type { Sink, Source } from '../flow.ts';

/** What one side puts in as it comes, and its sink takes at once, or later where it has enough. */
export class EventQueue<T> implements Source<T> {
  readonly #size: (item: T) => number;
  readonly #onTake: () => void;
  #sink: Sink<T> | undefined;
  #isWanted = false;
  #items: T[] = [];
  /** How many of the items were taken: to take them out of the array one by one would move all others. */
  #taken = 0;
  #unread = 0;
  #failure: { reason: unknown } | undefined;

  /** `onTake` is called whenever the sink has taken something. */
  constructor(size: (item: T) => number, onTake: () => void) {
    this.#size = size;
    this.#onTake = onTake;
  }

  push(item: T): void {
    if (this.#failure) return;
    if (this.#isWanted && this.#items.length === 0) return this.#give(item);
    this.#items.push(item);
    this.#unread += this.#size(item);
  }

  /** What was not taken yet is left out. */
  fail(reason: unknown): void {
    if (this.#failure) return;
    this.#failure = { reason };
    [this.#items, this.#taken, this.#unread] = [[], 0, 0];
    if (this.#isWanted) this.#break();
  }

  /** The sizes of all that was not taken yet. */
  unread(): number {
    return this.#unread;
  }

  pipe(sink: Sink<T>): void {
    this.#sink = sink;
  }

  resume(): void {
    this.#isWanted = true;
    while (this.#isWanted && this.#taken < this.#items.length) {
      const item = this.#items[this.#taken] as T;
      this.#taken += 1;
      if (this.#taken === this.#items.length) [this.#items, this.#taken] = [[], 0];
      this.#unread -= this.#size(item);
      this.#give(item);
    }
    if (this.#isWanted) this.#break();
  }

  #give(item: T): void {
    try {
      this.#isWanted = this.#sink?.write(item) ?? false;
    } catch (error) {
      // An error of our own ends this one alone, and not whoever put the item in.
      return this.fail(error);
    }
    this.#onTake();
  }

  #break(): void {
    if (!this.#failure) return;
    // It is told once.
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.fail(this.#failure.reason);
  }
}
