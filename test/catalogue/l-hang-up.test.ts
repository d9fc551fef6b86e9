import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { json, useBridge } from './bridge-rig.ts';
import { connectExtension, type TestExtension } from './extension-rig.ts';

/** Callers that leave before they have their answer, and what becomes of their call. */

const rig = useBridge({ withExtension: false, cancelGraceMs: 300 });

/** With one lane, so that what goes out next shows that it is free. */
let extension: TestExtension;
beforeEach(async () => {
  extension = await connectExtension(rig.bridge.url, { lanes: 1 });
});
afterEach(() => extension.close());

const stream = json({ messages: [{ role: 'user', content: 'x' }], stream: true });

/** A request on a socket of its own, which nobody else closes. */
function ask(path = '/api/process', body = json({ prompt: 'x' })): Socket {
  const socket = connect(rig.port, '127.0.0.1');
  const head = [`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${rig.port}`, 'Content-Type: application/json'];
  socket.write([...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
  return socket;
}
const isCancelled = async (requestId: string) =>
  expect(await rig.send(`GET /api/result/${requestId}`)).toMatchObject({
    status: 499,
    body: expect.stringContaining('"code":"cancelled"') as string,
  });

/** As our extension does once the lane is free. */
async function end(requestId: string): Promise<void> {
  extension.fail(requestId, { code: 'cancelled', message: 'The call was cancelled.' });
  expect(await extension.next('ack')).toBe(requestId);
}
/** One more call, from its request to its answer. */
async function answerOne(asked = rig.r0()): Promise<string> {
  const requestId = await extension.next('request');
  extension.answer(requestId, 'well');
  expect((await asked).status).toBe(200);
  expect(await extension.next('ack')).toBe(requestId);
  return requestId;
}

it('L1 a caller that leaves the queue is never called for', async () => {
  const first = rig.r0();
  const running = await extension.next('request');
  extension.start(running);
  const socket = ask();
  await expect.poll(() => rig.bridge.status.read().queue).toEqual({ queued: 1, running: 1 });
  socket.destroy();
  await expect.poll(() => rig.bridge.status.read().queue).toEqual({ queued: 0, running: 1 });
  extension.answer(running, 'well');
  expect((await first).status).toBe(200);
  expect(await extension.next('ack')).toBe(running);
  const next = await answerOne();
  expect([extension.requests, extension.cancels]).toEqual([[running, next], []]);
});

describe('a caller that leaves its call', () => {
  it.each([
    ['L2', 'before it started', async () => {}],
    ['L2', 'before its first word', async (id: string) => extension.start(id)],
    ['L3', 'in the middle of it', async (id: string) => extension.chunk(id, 0, 'partial')],
  ])('%s %s cancels it, and its lane is free once the extension says so', async (_, when, begin) => {
    for (const [path, body] of [['/api/process'], ['/v1/chat/completions', stream]] as const) {
      const socket = ask(path, body);
      const requestId = await extension.next('request');
      await begin(requestId);
      if (path !== '/api/process' && when === 'in the middle of it') await once(socket, 'data');
      socket.destroy();
      expect(await extension.next('cancel')).toBe(requestId);
      await isCancelled(requestId);
      const next = rig.r0();
      await expect.poll(() => rig.bridge.status.read().queue).toEqual({ queued: 1, running: 0 });
      expect(extension.requests.at(-1)).toBe(requestId);
      await end(requestId);
      await answerOne(next);
    }
  });

  it('L3 is not taken for one because it has sent its whole request', async () => {
    const socket = ask();
    const requestId = await extension.next('request');
    extension.start(requestId);
    const other = ask('/v1/chat/completions', stream);
    await expect.poll(() => rig.bridge.status.read().queue).toEqual({ queued: 1, running: 1 });
    extension.answer(requestId, 'well');
    expect(String((await once(socket, 'data'))[0])).toContain('200 OK');
    socket.destroy();
    const next = await extension.next('request');
    extension.answer(next, 'well');
    expect(String((await once(other, 'data'))[0])).toContain('200 OK');
    other.destroy();
    await extension.next('ack');
    await extension.next('ack');
    expect(extension.cancels).toEqual([]);
  });
});

describe('an extension that ignores a cancel', () => {
  it('L7 loses the slot after a while, and what it says late is acknowledged and dropped', async () => {
    const socket = ask();
    const requestId = await extension.next('request');
    extension.start(requestId);
    socket.destroy();
    expect(await extension.next('cancel')).toBe(requestId);
    expect(rig.bridge.status.read().extensions[0]?.lanes.busy).toBe(1);
    // Not a word of it: the next call goes out all the same.
    await answerOne();
    extension.chunk(requestId, 0, 'late');
    extension.end(requestId, 1);
    expect(await extension.next('ack')).toBe(requestId);
    await isCancelled(requestId);
    await answerOne();
  });
});

it('L8 a caller that closes its connection after its answer has cancelled nothing', async () => {
  const socket = ask();
  const requestId = await extension.next('request');
  extension.answer(requestId, 'well');
  expect(String((await once(socket, 'data'))[0])).toContain('200 OK');
  expect(await extension.next('ack')).toBe(requestId);
  // On the same connection, and again.
  socket.write(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${rig.port}\r\n\r\n`);
  expect(String((await once(socket, 'data'))[0])).toContain('200 OK');
  socket.destroy();
  await answerOne();
  expect(extension.cancels).toEqual([]);
  expect(await rig.send(`GET /api/result/${requestId}`)).toMatchObject({ status: 200 });
});
