import { createServer, type Server } from 'node:http';

export function createHttpServer(): Server {
  const server = createServer();
  // A caller that is gone already has no address any more, and whose request it was could not be told. Once asked for, the
  // address of the others stays known for as long as what they sent is read.
  server.on('connection', (socket) => void (socket.remoteAddress ?? socket.destroy()));
  return server;
}

/** Rejects with Node's error where the port cannot be had. */
export function listen(server: Server, { port, host }: { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
