/**
 * Finds half-open connections: a peer that stays silent through two pings is given up. Counting our own ticks
 * instead of comparing clocks means that a suspended machine does not give up everybody on waking.
 */
export function startHeartbeat(options: { intervalMs: number; ping: () => void; giveUp: () => void }): {
  /** Something arrived from the peer. */
  heard(): void;
  stop(): void;
} {
  const { intervalMs, ping, giveUp } = options;
  let unanswered = 0;
  const timer = setInterval(() => {
    if (unanswered === 2) return giveUp();
    unanswered += 1;
    ping();
  }, intervalMs);
  return {
    heard: () => void (unanswered = 0),
    stop: () => clearInterval(timer),
  };
}
