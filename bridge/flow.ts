/**
 * Events on their way, handed from function to function in the turn in which they come, so that one that is read is
 * written before the next is looked at. Promises in between would do that for all of a turn together.
 */

/** Takes events. None comes after a `finish`, if they know one, or after a failure. */
export interface Sink<T> {
  /** False where that is enough for now: more comes once its source is told to `resume`. */
  write(event: T): boolean;
  fail(reason: unknown): void;
}

/** Gives events, to one sink. */
export interface Source<T> {
  pipe(sink: Sink<T>): void;
  /** The sink wants events; before this it gets none, nor a failure. */
  resume(): void;
}

/** The source with a stage between it and its sink; what the stage says nothing of fails as it does. */
export const through = <A, B>(
  source: Source<A>,
  stage: (sink: Sink<B>) => Pick<Sink<A>, 'write'> & Partial<Sink<A>>,
): Source<B> => ({
  pipe(sink) {
    const { write, fail = (reason: unknown) => sink.fail(reason) } = stage(sink);
    source.pipe({ write, fail });
  },
  resume: () => source.resume(),
});
