import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { createApp } from '../../../bridge/http/app.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import type { EventStream } from '../../../bridge/http/route.ts';

/** More than the buffers of any system take from a writer for a reader that does not read. */
const events = 32;
const event = { text: 'x'.repeat(1024 * 1024) };

/** A stream of events, and the socket of its caller, who has not begun to read. */
async function open(): Promise<{ stream: EventStream; caller: Socket; turn: () => Promise<unknown> }> {
  const opened = Promise.withResolvers<EventStream>();
  const handle = (exchange: { startEvents(): EventStream }) => {
    opened.resolve(exchange.startEvents());
    return undefined;
  };
  const app = createApp(
    [
      { method: 'GET', path: '/events', handle },
      { method: 'GET', path: '/turn', handle: () => ({ status: 200, body: {} }) },
    ],
    { onUnexpected: (error) => expect.fail(String(error)), limits: defaultLimits },
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const caller = connect(port, '127.0.0.1').pause();
  caller.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  onTestFinished(async () => {
    caller.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { stream: await opened.promise, caller, turn: () => fetch(`http://127.0.0.1:${port}/turn`) };
}

/** Fills every buffer on the way to a caller that does not read, and waits for it twice. */
async function fill() {
  const { stream, caller, turn } = await open();
  await stream.ready();
  for (let sent = 0; sent < events; sent += 1) stream.send(event);
  let ready = 0;
  const waiting = [1, 2].map(() => stream.ready().then(() => (ready += 1)));
  await turn();
  expect(ready).toBe(0);
  return { stream, caller, bothAreReady: () => Promise.all(waiting).then(() => ready === 2) };
}

it('a stream of events is ready again once its caller reads', async () => {
  const { stream, caller, bothAreReady } = await fill();
  let chars = 0;
  caller.on('data', (data: Buffer) => (chars += data.length)).resume();
  expect(await bothAreReady()).toBe(true);
  await stream.ready();
  stream.end();
  await expect.poll(() => chars).toBeGreaterThan(events * event.text.length);
});

it('and once its caller hung up, after which nothing waits', async () => {
  const { stream, caller, bothAreReady } = await fill();
  caller.destroy();
  expect(await bothAreReady()).toBe(true);
  stream.send(event);
  await stream.ready();
});
