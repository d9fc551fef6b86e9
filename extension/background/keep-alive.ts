/** Firefox allows 30 s. */
const periodMs = 20_000;

/**
 * Keeps an event page from being suspended: neither sockets nor fetches count as work to Firefox, but any call that
 * reaches its parent process does. `touch` makes one.
 */
export function createKeepAlive(touch: () => void): {
  /** Holds the page awake until the function that it returns is called. */
  hold(): () => void;
} {
  const holders = new Set<object>();
  let timer: ReturnType<typeof setInterval> | undefined;

  return {
    hold() {
      const holder = {};
      holders.add(holder);
      if (timer === undefined) {
        touch();
        timer = setInterval(touch, periodMs);
      }
      return () => {
        holders.delete(holder);
        if (holders.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
