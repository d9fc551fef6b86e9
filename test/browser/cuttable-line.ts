import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A line between extension and bridge that a test can cut. */
export interface CuttableLine {
  /** The port that the extension dials instead of the bridge's. */
  port: number;
  /** Cuts what is open. Until `mend`, sockets (`sockets`) or any connection at all (`everything`) are refused. */
  cut(what: 'sockets' | 'everything'): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startCuttableLine(bridgePort: number): Promise<CuttableLine> {
  const open = new Map<Socket, { isSocket: boolean }>();
  let refused: 'nothing' | 'sockets' | 'everything' = 'nothing';

  const server = createServer((near) => {
    if (refused === 'everything') return void near.destroy();
    const far = connect(bridgePort, '127.0.0.1');
    open.set(near, { isSocket: false });
    near
      .on('error', () => far.destroy())
      .on('close', () => {
        open.delete(near);
        far.destroy();
      });
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (/^Upgrade: websocket/im.test(text)) {
        if (refused === 'sockets') return void near.destroy();
        open.set(near, { isSocket: true });
      }
      // The bridge answers to its own name only; what a browser masks in frames can never look like this.
      far.write(text.replaceAll(`Host: 127.0.0.1:${port}\r\n`, `Host: 127.0.0.1:${bridgePort}\r\n`), 'latin1');
    });
    far.pipe(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    cut(what) {
      refused = what;
      for (const [near, { isSocket }] of open) if (isSocket || what === 'everything') near.destroy();
    },
    mend: () => void (refused = 'nothing'),
    async close() {
      for (const near of open.keys()) near.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
