import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

import { beforeAll, describe, expect, it } from 'vitest';

import { createKey } from '../../../bridge/keys/keys.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';
import { parseAnswer, type RawAnswer } from '../raw-socket.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import { upgradeLines } from './connections-rig.ts';

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

const lan = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe.runIf(lan !== undefined).each(['0.0.0.0', '::', lan ?? ''])('a bridge that listens on %s', (host) => {
  /** What an upgrade to this address is answered, where it comes from that one. */
  async function upgradeTo(host: string, localAddress?: string): Promise<RawAnswer> {
    const socket = connect({ port, host, ...(localAddress !== undefined && { localAddress }) });
    socket.write(['GET /ws HTTP/1.1', `Host: ${lan}:${port}`, ...upgradeLines(), '', ''].join('\r\n'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return parseAnswer(answer);
  }

  let port: number;
  beforeAll(async () => {
    const { dir, remove } = await createTemporaryFolder('state');
    createKey(dir, 'laptop', new Date());
    const bridge = await startTemporaryBridge({ host, allowedHosts: [lan!], mayBindAll: true, stateDir: dir });
    port = Number(new URL(bridge.url).port);
    return async () => {
      await bridge.close();
      await remove();
    };
  });

  it('lets the extension in from its own machine, by the address that others have for it', async () => {
    expect((await upgradeTo(lan!)).status).toBe(101);
  });

  it.runIf(host !== lan)('lets it in from nowhere else', async () => {
    expect((await upgradeTo('127.0.0.1')).status).toBe(101);
    // From another address than it goes to, as from another machine.
    const { status, body } = await upgradeTo('127.0.0.1', lan);
    expect([status, JSON.parse(body)]).toMatchObject([
      403,
      { code: 'not_the_extension', error: 'The extension connects from the machine that the bridge runs on.' },
    ]);
  });
});
