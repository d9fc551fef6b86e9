import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/**
 * What can be wrong with a line. `timeout` swallows everything and ends after a while, `down` comes up again after one,
 * `limit_data` ends after so many bytes; each of them strikes once. `dead` swallows everything for good.
 */
export const toxics = [
  'latency',
  'bandwidth',
  'slicer',
  'slow_close',
  'timeout',
  'reset_peer',
  'limit_data',
  'down',
] as const;
export type Toxic = (typeof toxics)[number] | 'dead';

/** A line to the bridge that can be poisoned while it is in use. */
export interface ToxicProxy {
  readonly port: number;
  /** Connections now. */
  readonly open: number;
  /** When it was last poisoned or healed, in milliseconds. */
  readonly changedAt: number;
  /** From now on, and for all connections, new ones too, until `heal`. */
  poison(toxic: Toxic): void;
  heal(): void;
  close(): Promise<void>;
}

export async function startToxicProxy(options: {
  target: () => number;
  random: () => number;
  /** All times of toxics are multiplied by this. */
  scale: number;
  /** What comes from the bridge, before it is passed on. */
  onAnswer?: (bytes: Buffer) => void;
  /** The proxy ended a connection. */
  onCut?: () => void;
}): Promise<ToxicProxy> {
  const { target, random, scale, onAnswer, onCut } = options;
  const open = new Map<Socket, Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let toxic: Toxic | null = null;
  let left = Infinity;
  let changedAt = -Infinity;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    if (toxic === 'down') return reset(near);
    const far = connect({ port: target(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    open.set(near, far);
    near.on('error', () => {}).on('close', () => open.delete(near));
    far.on('error', () => {});
    void carry(near, far, (bytes) => readdress(bytes, port, target()));
    void carry(far, near, (bytes) => {
      onAnswer?.(bytes);
      return bytes;
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  /** One direction, to its end. An end is passed on as what it was: a goodbye or a reset. */
  async function carry(from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): Promise<void> {
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) await pass(change(bytes), to);
      await beforeClose();
      to.end();
    } catch {
      await beforeClose();
      reset(to);
    }
  }

  async function pass(bytes: Buffer, to: Socket): Promise<void> {
    switch (toxic) {
      case 'timeout':
      case 'dead':
        return;
      case 'latency':
        await delay((1000 + random() * 2000) * scale);
        return write(to, bytes);
      case 'bandwidth':
        return trickle(bytes, to, 1024 / 20, () => delay(50 * scale));
      case 'slicer':
        return trickle(bytes, to, 1, nextTurn);
      case 'limit_data': {
        const allowed = bytes.subarray(0, left);
        left -= allowed.length;
        if (allowed.length > 0) await write(to, allowed);
        if (left <= 0) strike();
        return;
      }
      case 'slow_close':
      case 'reset_peer':
      case 'down':
      case null:
        return write(to, bytes);
    }
  }

  async function trickle(bytes: Buffer, to: Socket, size: number, wait: () => Promise<unknown>): Promise<void> {
    for (let at = 0; at < bytes.length; at += size) {
      // What is left when it heals goes at once.
      if (toxic === null) return write(to, bytes.subarray(at));
      await write(to, bytes.subarray(at, at + size));
      await wait();
    }
  }

  const beforeClose = () => (toxic === 'slow_close' ? delay(2000 * scale) : Promise.resolve());

  function cut(end: (socket: Socket) => void): void {
    if (open.size > 0) onCut?.();
    for (const [near, far] of open) {
      end(near);
      end(far);
    }
  }

  /** Ends what is open. What is dialled from now on, works. */
  function strike(end = (socket: Socket): void => void socket.destroy()): void {
    toxic = null;
    cut(end);
  }

  function later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  }

  function heal(): void {
    if (toxic !== null) changedAt = performance.now();
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    // Of what it swallowed, nothing comes back: it cannot go on as if nothing was missing.
    if (toxic === 'timeout' || toxic === 'dead') cut((socket) => socket.destroy());
    toxic = null;
    left = Infinity;
  }

  return {
    port,
    get open() {
      return open.size;
    },
    get changedAt() {
      return changedAt;
    },
    poison(next) {
      heal();
      toxic = next;
      changedAt = performance.now();
      if (next === 'limit_data') left = Math.floor(random() * 600);
      if (next === 'reset_peer') strike(reset);
      if (next === 'timeout') later((1000 + random() * 4000) * scale, strike);
      if (next !== 'down') return;
      cut((socket) => socket.destroy());
      later((1000 + random() * 4000) * scale, heal);
    },
    heal,
    async close() {
      heal();
      for (const [near, far] of open) for (const socket of [near, far]) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Node loses a socket that is reset while it says goodbye, and cannot end then. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** The bridge answers to its own name only. What a browser masks in frames can never look like this. */
const readdress = (bytes: Buffer, from: number, to: number): Buffer =>
  Buffer.from(bytes.toString('latin1').replace(`ost: 127.0.0.1:${from}\r\n`, `ost: 127.0.0.1:${to}\r\n`), 'latin1');

async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (to.destroyed || to.writableEnded || to.write(bytes)) return;
  const drained = new AbortController();
  const { signal } = drained;
  await Promise.race([once(to, 'drain', { signal }), once(to, 'close', { signal })]).finally(() => drained.abort());
}
