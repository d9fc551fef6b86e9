import type { ListenOptions, Server } from 'node:net';

/** Rejects with Node's error where the place cannot be had. */
export function listen(server: Server, place: Pick<ListenOptions, 'port' | 'host' | 'path'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
