/** Calls back once, unless it is stopped before. */
export interface Timer {
  stop(): void;
}

/** Starts one that calls back `ms` from now, which is 1 or more. */
export type StartTimer = (ms: number, callback: () => void) => Timer;

/** Where more lengths than that are known, those that no timer has any more are forgotten. */
const fewLengths = 32;

/**
 * Timers by the thousand, nearly all of which are stopped. Those of one length end in the order in which they began, so
 * that one timer of Node's is enough for all of them; it stays when the last one is stopped, since another follows soon.
 *
 * What arrived in time is read first: when a machine wakes up, or a process that was stopped goes on, the time is over
 * and the answer lies unread in the socket.
 */
export function createTimers(): StartTimer {
  const rings = new Map<number, Ring>();
  let mostLengths = fewLengths;

  function setAlarm(ring: Ring, ms: number): void {
    // Between the timers of a turn and its immediates, Node reads its sockets. What is over by then only is for the next.
    const alarm = () => setImmediate(endDue, ring, performance.now());
    ring.alarm = setTimeout(alarm, Math.max(1, Math.ceil(ms))).unref();
  }

  function endDue(ring: Ring, time: number): void {
    try {
      ring.endUntil(time);
    } finally {
      if (!ring.isEmpty()) setAlarm(ring, ring.next.endsAt - performance.now());
      else if (rings.get(ring.ms) === ring) rings.delete(ring.ms);
    }
  }

  function forgetIdle(): void {
    for (const ring of rings.values()) {
      if (!ring.isEmpty()) continue;
      clearTimeout(ring.alarm);
      rings.delete(ring.ms);
    }
    mostLengths = Math.max(fewLengths, 2 * rings.size);
  }

  function ringOf(ms: number): Ring {
    if (rings.size >= mostLengths) forgetIdle();
    const ring = new Ring(ms);
    rings.set(ms, ring);
    setAlarm(ring, ms);
    return ring;
  }

  return (ms, callback) => {
    const ring = rings.get(ms) ?? ringOf(ms);
    const link = new Link(performance.now() + ms, callback);
    ring.add(link);
    return link;
  };
}

/** In a ring, so that it leaves without a look at the others. */
class Link implements Timer {
  previous: Link = this;
  next: Link = this;
  readonly endsAt: number;
  readonly callback: () => void;

  constructor(endsAt: number, callback: () => void) {
    this.endsAt = endsAt;
    this.callback = callback;
  }

  stop(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    // What is gone must not keep hold of what came after it.
    this.previous = this;
    this.next = this;
  }
}

/** Where the timers of one length begin and end: the next is the oldest. */
class Ring extends Link {
  readonly ms: number;
  alarm: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    super(Infinity, () => {});
    this.ms = ms;
  }

  isEmpty(): boolean {
    return this.next === this;
  }

  add(link: Link): void {
    link.previous = this.previous;
    link.next = this;
    this.previous.next = link;
    this.previous = link;
  }

  endUntil(time: number): void {
    for (let link = this.next; link.endsAt <= time; link = this.next) {
      link.stop();
      link.callback();
    }
  }
}
