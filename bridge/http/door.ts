import type { Server } from 'node:net';

import { listen } from './listen.ts';
import { listenOnSocket } from './local-socket.ts';
import type { HttpServer } from './server.ts';

/** Where callers come in: the port, and the Unix socket where there is one. Both lead to the same routes and guards. */
export interface Door {
  /** Rejects with Node's error where the port cannot be had, and with what `listenOnSocket` throws. */
  open(): Promise<void>;
  /** Lets nobody in any more; resolves once all are gone. */
  close(): Promise<void>;
}

export function createDoor(
  { server, take }: HttpServer,
  place: { port: number; host: string; socket: string | null },
): Door {
  const { port, host, socket } = place;
  let local: Server | undefined;
  return {
    async open() {
      await listen(server, { port, host });
      if (socket !== null) local = await listenOnSocket(socket, { take, maxConnections: server.maxConnections });
    },
    async close() {
      await Promise.all([server, ...(local ? [local] : [])].map(stop));
    },
  };
}

const stop = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));
