import type { PuterState } from '#shared/protocol.ts';
import type { BridgeStatus, PuterStatus } from '#shared/status.ts';

import type { Connection } from './connection/connections.ts';

/** The live state of the three hops, for whoever asks and whoever watches. */
export interface StatusHub {
  /** Derived from the live connections at this moment, never stored. */
  read(): BridgeStatus;
  /** Calls `listener` after changes, at most once a turn of the event loop. Returns how to stop. */
  watch(listener: (status: BridgeStatus) => void): () => void;
  /** Something that `read` shows has changed. */
  changed(): void;
}

export function createStatusHub(options: {
  version: string;
  now: () => number;
  sources: () => {
    connections: Connection[];
    busyLanes: (connection: Connection) => number;
    queue: { queued: number; running: number };
  };
}): StatusHub {
  const { version, now, sources } = options;
  const startedAt = now();
  const listeners = new Set<(status: BridgeStatus) => void>();
  let scheduled = false;

  function read(): BridgeStatus {
    const { connections, busyLanes, queue } = sources();
    const extensions = connections.map((connection) => {
      const busy = busyLanes(connection);
      return {
        browser: connection.browser,
        version: connection.version,
        since: connection.since.toISOString(),
        lanes: { busy, free: Math.max(0, connection.lanes - busy) },
        puter: toPuterStatus(connection.puter),
      };
    });
    return {
      bridge: { version, uptime_ms: Math.round(now() - startedAt) },
      extensions,
      puter: overall(extensions.map((extension) => extension.puter)),
      queue,
    };
  }

  return {
    read,
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    changed() {
      if (scheduled || listeners.size === 0) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        const status = read();
        for (const listener of listeners) listener(status);
      });
    },
  };
}

const toPuterStatus = ({ session, username, reachable }: PuterState): PuterStatus => ({
  signed_in: session === 'signed_in',
  username,
  reachable,
});

function overall(all: PuterStatus[]): PuterStatus {
  const known = all.map((puter) => puter.reachable).filter((reachable) => reachable !== null);
  return {
    signed_in: all.some((puter) => puter.signed_in),
    username: all.find((puter) => puter.signed_in)?.username ?? null,
    reachable: known.length === 0 ? null : known.includes(true),
  };
}
