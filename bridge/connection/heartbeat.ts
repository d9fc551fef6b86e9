/**
 * Finds half-open connections: a peer that stays silent through two pings is given up. Where our own tick comes late, it
 * was us who stood still, and what the peer said meanwhile may lie unread: then the count begins anew.
 */
export function startHeartbeat(options: {
  intervalMs: number;
  ping: () => void;
  giveUp: () => void;
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
}): {
  /** Something arrived from the peer. */
  heard(): void;
  stop(): void;
} {
  const { intervalMs, ping, giveUp, now } = options;
  let unanswered = 0;
  let last = now();
  const timer = setInterval(() => {
    const isLate = now() - last > intervalMs * 1.5;
    last = now();
    if (isLate) unanswered = 0;
    if (unanswered === 2) return giveUp();
    unanswered += 1;
    ping();
  }, intervalMs);
  return {
    heard: () => void (unanswered = 0),
    stop: () => clearInterval(timer),
  };
}
