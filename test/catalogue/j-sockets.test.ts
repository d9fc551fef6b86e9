import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { readToEnd } from '../bridge/raw-socket.ts';
import { useBridge } from './bridge-rig.ts';

/** Many sockets, and many requests. */

describe('a bridge of 64 connections', () => {
  const maxConnections = 64;
  const rig = useBridge({ limits: { maxConnections } });

  async function open(): Promise<Socket> {
    const socket = connect(rig.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  it('J9 drops the one beyond, and goes on to answer the others', async () => {
    const kept = await open();
    const ask = async () => {
      kept.write(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${rig.port}\r\n\r\n`);
      return ((await once(kept, 'data')) as [Buffer])[0].toString();
    };
    expect(await ask()).toContain('200 OK');
    // The extension has one, too.
    const others = await Promise.all(Array.from({ length: maxConnections - 2 }, open));
    expect((await readToEnd(await open())).length).toBe(0);
    expect(await ask()).toContain('200 OK');
    for (const socket of others) socket.destroy();
    await expect.poll(async () => (await rig.g0()).status).toBe(200);
    kept.destroy();
  });
});

describe('10,000 requests that are refused', () => {
  const rig = useBridge();

  it('J10 are refused one and all, and print nothing', { timeout: 60_000 }, async () => {
    const request = `POST /api/process HTTP/1.1\r\nHost: 127.0.0.1:${rig.port}\r\nOrigin: https://evil.com\r\nContent-Length: 0\r\n\r\n`;
    let refusals = 0;
    for (let round = 0; round < 100; round += 1) {
      const socket = connect(rig.port, '127.0.0.1');
      socket.write(request.repeat(100));
      refusals += (await readToEnd(socket)).toString().split('HTTP/1.1 403 Forbidden').length - 1;
    }
    expect(refusals).toBe(10_000);
    expect(rig.output).toBe('');
    rig.expectCalls(1);
    expect((await rig.r0()).status).toBe(200);
  });
});
