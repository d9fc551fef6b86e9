/**
 * Aborts on Ctrl-C and on SIGTERM, so that what was started can be put away; the process then ends as one that was
 * stopped. A second one ends it at once.
 */
export function createStopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(exitCode);
      console.log('\nStopping.');
      process.exitCode = exitCode;
      stop.abort(new Error('Stopped.'));
    });
  }
  return stop.signal;
}
