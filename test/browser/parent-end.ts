const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const cleanups = new Set<() => void>();

/**
 * Runs a synchronous cleanup when this Node process ends or is told to, the newest first.
 * A signal goes on to whoever else listens; if nobody does, it ends the process as it would have without us.
 *
 * @returns a function that forgets the cleanup
 */
export function onParentEnd(cleanup: () => void): () => void {
  if (cleanups.size === 0) {
    process.on('exit', runCleanups);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
    if (cleanups.size === 0) stopListening();
  };
}

function onSignal(signal: NodeJS.Signals): void {
  runCleanups();
  stopListening();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function runCleanups(): void {
  for (const cleanup of [...cleanups].toReversed()) cleanup();
  cleanups.clear();
}

function stopListening(): void {
  process.off('exit', runCleanups);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}
