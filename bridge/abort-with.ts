/**
 * Aborts `controller` when `signal` aborts, for the same reason: what `AbortSignal.any` does, at a tenth of its cost. The
 * signal keeps the controller until it aborts or until the function that is returned is called, so that one which outlives
 * the controller has to be left. Null never aborts.
 */
export function abortWith(signal: AbortSignal | null, controller: AbortController): () => void {
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort);
  return () => signal?.removeEventListener('abort', abort);
}
