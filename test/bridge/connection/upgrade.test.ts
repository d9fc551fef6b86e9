import { once } from 'node:events';
import { connect } from 'node:net';

import { expect, it } from 'vitest';

import { startTemporaryBridge } from '../temporary-bridge.ts';

it('does not let a refused caller that keeps its side open hold the bridge up', async () => {
  const bridge = await startTemporaryBridge({}, () => {});
  const port = Number(new URL(bridge.url).port);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 Forbidden/);
  await bridge.close();
  socket.destroy();
});
