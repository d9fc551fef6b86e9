/** A function that calls `action` at the end of this turn of the event loop, however often it is called until then. */
export function onceATurn(action: () => void): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      action();
    });
  };
}
