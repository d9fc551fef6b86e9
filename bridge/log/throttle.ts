/** Lets so many a second through, and tells of the others once the second is over. */
export function createThrottle(options: { perSecond: number; onSuppressed: (count: number) => void }): {
  take(): boolean;
  /** Tells of what was held back last. */
  close(): void;
} {
  const { perSecond, onSuppressed } = options;
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;

  function endSecond(): void {
    clearTimeout(timer);
    timer = undefined;
    const suppressed = taken - perSecond;
    taken = 0;
    if (suppressed > 0) onSuppressed(suppressed);
  }

  return {
    take() {
      timer ??= setTimeout(endSecond, 1000).unref();
      taken += 1;
      return taken <= perSecond;
    },
    close: endSecond,
  };
}
