import type { RequestListener, Server } from 'node:http';

/** Tells of every exchange as it begins, also of those whose caller waits to be asked for its body. */
export function onExchange(server: Server, listener: RequestListener): void {
  for (const event of ['request', 'checkContinue'] as const) server.prependListener(event, listener);
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
