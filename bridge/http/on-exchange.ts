import type { RequestListener, Server } from 'node:http';

/** Tells of every exchange as it begins, also of those whose caller waits to be asked for its body. */
export function onExchange(server: Server, listener: RequestListener): void {
  for (const event of ['request', 'checkContinue'] as const) server.prependListener(event, listener);
}
