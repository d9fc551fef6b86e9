/** A function that calls `action` `ms` later, once for all that it is called until then. */
export function atMostEvery(ms: number, action: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      action();
    }, ms).unref();
  };
}
