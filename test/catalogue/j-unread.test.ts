import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished } from 'vitest';

import { json, openSockets, useBridge } from './bridge-rig.ts';

/** Callers that do not read what they asked for: 16 MiB, more than all sockets on the way hold. */

const rig = useBridge({ limits: { readerGraceMs: 300 } });

const stream = json({ model: 'huge', messages: [{ role: 'user', content: 'x' }], stream: true });
const whole = json({ model: 'huge', prompt: 'x' });

/** A request whose answer nobody reads, unless somebody begins to. */
function ask(path: string, body: string): Socket {
  const socket = connect(rig.port, '127.0.0.1').pause();
  onTestFinished(() => void socket.destroy());
  const head = [`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${rig.port}`, 'Content-Type: application/json'];
  socket.write([...head, 'Connection: close', `Content-Length: ${body.length}`, '', body].join('\r\n'));
  return socket;
}
async function statusOf(requestId: string): Promise<number> {
  return (await rig.send(`GET /api/result/${requestId}`)).status;
}
async function newest(): Promise<string> {
  const { body } = await rig.send('GET /api/requests');
  return (JSON.parse(body) as { requests: { request_id: string }[] }).requests[0]?.request_id ?? '';
}
/** What there was to read before the end, which must not be a good one. */
async function drain(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => {});
  socket.resume();
  await once(socket, 'close');
  return text;
}

describe('a caller that takes nothing of its answer', () => {
  it('J7 has its stream cancelled after a while, and its socket closed', async () => {
    rig.expectCalls(1);
    const called = rig.extension.nextCall();
    const socket = ask('/v1/chat/completions', stream);
    await called;
    const requestId = await newest();
    // Held up at first, not filled into our memory.
    await expect.poll(() => statusOf(requestId), { timeout: 10_000 }).toBe(499);
    expect(rig.bridge.status.read().queue).toEqual({ queued: 0, running: 0 });
    expect(await drain(socket)).not.toContain('[DONE]');
  });

  it('J7 has its socket closed also where the answer is whole, and can fetch it later', async () => {
    rig.expectCalls(1);
    const called = rig.extension.nextCall();
    const before = openSockets();
    const socket = ask('/api/process', whole);
    await called;
    const requestId = await newest();
    await expect.poll(() => statusOf(requestId), { timeout: 10_000 }).toBe(200);
    // Of the two ends, ours alone is left.
    await expect.poll(openSockets, { timeout: 10_000 }).toBe(before + 1);
    expect((await drain(socket)).length).toBeLessThan(16 * 2 ** 20);
  });
});

it('J7 a caller that reads slowly, and does read, has all of it', { timeout: 60_000 }, async () => {
  rig.expectCalls(1);
  const socket = ask('/v1/chat/completions', stream);
  let bytes = 0;
  let tail = '';
  const startedAt = performance.now();
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    tail = (tail + chunk.toString()).slice(-100);
    await delay(5);
  }
  expect(performance.now() - startedAt).toBeGreaterThan(900);
  expect(bytes).toBeGreaterThan(16 * 2 ** 20);
  expect(tail).toContain('data: [DONE]');
});
