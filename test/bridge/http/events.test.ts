import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { createApp } from '../../../bridge/http/app.ts';
import { defaultLimits } from '../../../bridge/limits.ts';
import type { EventStream, Exchange } from '../../../bridge/http/route.ts';

/** More than the buffers of any system take from a writer for a reader that does not read. */
const events = 32;
const event = { text: 'x'.repeat(1024 * 1024) };

/** A stream of events, and the socket of its caller, who has not begun to read. `begin` gets it as it begins. */
async function open(onDrain: () => void, begin: (stream: EventStream) => void = () => {}) {
  const opened = Promise.withResolvers<EventStream>();
  const handle = (exchange: Pick<Exchange, 'startEvents'>) => {
    const stream = exchange.startEvents(onDrain);
    begin(stream);
    opened.resolve(stream);
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

/** Fills every buffer on the way to a caller that does not read. */
async function fill() {
  const drained = Promise.withResolvers<void>();
  let drains = 0;
  const { stream, caller, turn } = await open(() => {
    drains += 1;
    drained.resolve();
  });
  expect(stream.isFull()).toBe(false);
  for (let sent = 0; sent < events; sent += 1) stream.send(event);
  await turn();
  expect([stream.isFull(), drains]).toEqual([true, 0]);
  return { stream, caller, drained: drained.promise };
}

async function readAll(caller: Socket): Promise<string> {
  const received: Buffer[] = [];
  caller.on('data', (data: Buffer) => received.push(data)).resume();
  const whole = () => Buffer.concat(received).toString();
  await expect.poll(whole).toMatch(/0\r\n\r\n$/);
  return whole();
}

it('a stream of events that is full drains once its caller reads', async () => {
  const { stream, caller, drained } = await fill();
  let chars = 0;
  caller.on('data', (data: Buffer) => (chars += data.length)).resume();
  await drained;
  expect(stream.isFull()).toBe(false);
  stream.end();
  await expect.poll(() => chars).toBeGreaterThan(events * event.text.length);
});

it('and once its caller hung up, after which it is never full', async () => {
  const { stream, caller, drained } = await fill();
  caller.destroy();
  await drained;
  stream.send(event);
  expect(stream.isFull()).toBe(false);
});

it('what is sent in the turn in which the stream begins and ends arrives in order', async () => {
  const { caller } = await open(
    () => {},
    (stream) => {
      for (const name of ['first', 'second']) stream.send({ ...event, name });
      stream.end();
    },
  );
  const whole = await readAll(caller);
  expect(whole).toMatch(/^HTTP\/1\.1 200 .*"first"\}\n\n\r\n.*"second"\}\n\n\r\n0\r\n\r\n$/s);
});

it('an event is one line, wherever its reader ends lines, and says what was sent', async () => {
  // Whatever Unicode, Python or an older client of OpenAI's takes for the end of a line.
  const text = 'a\nb\rc\vd\fe\x1Cf\x1Dg\x1Eh\x85i\u2028j\u2029k';
  const { caller } = await open(
    () => {},
    (stream) => {
      stream.send({ text });
      stream.end();
    },
  );
  const whole = await readAll(caller);
  const lines = whole.split(/[\p{Cc}\u2028\u2029]/u);
  const event = lines.find((line) => line.startsWith('data: '));
  expect(JSON.parse(event?.slice('data: '.length) ?? '')).toEqual({ text });
});
