/**
 * Calls `listener` with the signal's reason when it aborts, at once where it has. Returns how to leave, for whatever the
 * signal outlives. Null never aborts.
 */
export function onAbort(signal: AbortSignal | null, listener: (reason: unknown) => void): () => void {
  if (!signal) return stay;
  const tell = () => listener(signal.reason);
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell);
  return () => signal.removeEventListener('abort', tell);
}

const stay = () => {};
