import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';

import type { JsonReply } from './route.ts';

/** Tells of every exchange as it begins, also of those whose caller waits to be asked for its body, or expects more. */
export function onExchange(server: Server, listener: RequestListener): void {
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
    server.prependListener(event, listener);
}

/** A socket that was refused by itself (`refuseSocket`), whether an exchange is open on it or none came about. */
export interface Refusal {
  reply: JsonReply;
  /** What asked for it, where that is no exchange, and the route that it asked for. */
  asked: { request: IncomingMessage; route: string | null } | null;
}

/** What a socket tells of it by. */
export const refused = 'refused';

export function onRefusal(server: Server, listener: (socket: Socket, refusal: Refusal) => void): void {
  // One for all sockets: there may be thousands.
  function tell(this: Socket, refusal: Refusal): void {
    listener(this, refusal);
  }
  server.on('connection', (socket) => socket.on(refused, tell));
}

/** How many exchanges are open, whenever it is asked. */
export function countExchanges(server: Server, onOver: () => void): () => number {
  let open = 0;
  onExchange(server, (_, response) => {
    open += 1;
    response.on('close', () => {
      open -= 1;
      onOver();
    });
  });
  return () => open;
}
