import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { json, refusalOf, useBridge } from './bridge-rig.ts';
import { connectExtension, type TestExtension } from './extension-rig.ts';

/** Extensions that go away, come back, or are there in name only: a call goes out at most once. */

const stream = json({ messages: [{ role: 'user', content: 'x' }], stream: true });

/** All that it said so far is with the bridge. */
async function arrived({ client: { socket } }: TestExtension): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
}

describe('a line that is cut', () => {
  const rig = useBridge({ withExtension: false, lostGraceMs: 300 });
  let extensions: TestExtension[] = [];
  const join = async (joining: Promise<TestExtension>): Promise<TestExtension> => {
    const extension = await joining;
    extensions.push(extension);
    return extension;
  };
  let extension: TestExtension;
  beforeEach(async () => {
    extension = await join(connectExtension(rig.bridge.url, { lanes: 1 }));
  });
  afterEach(async () => {
    for (const it of extensions.splice(0)) await it.close();
  });
  const result = async (asked: ReturnType<typeof rig.r0>) => JSON.parse((await asked).body) as object;

  it('M1 leaves what waits in the queue, for whoever comes next, once', async () => {
    const first = rig.r0();
    const running = await extension.next('request');
    extension.start(running);
    const second = rig.r0();
    await expect.poll(() => rig.bridge.status.read().queue).toEqual({ queued: 1, running: 1 });
    await extension.drop();
    const other = await join(connectExtension(rig.bridge.url));
    const waited = await other.next('request');
    other.answer(waited, 'well');
    expect(await result(second)).toMatchObject({ result: 'well' });
    expect(refusalOf(await first)).toEqual({ status: 502, code: 'extension_disconnected' });
    expect([extension.requests, other.requests]).toEqual([[running], [waited]]);
  });

  it('M2 sends a call again that the same extension never had, once', async () => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    await extension.drop();
    const back = await join(extension.again([]));
    expect(back.welcome.resume).toEqual([]);
    expect(await back.next('request')).toBe(requestId);
    back.answer(requestId, 'well');
    expect(await result(asked)).toMatchObject({ result: 'well' });
    expect([extension.requests, back.requests]).toEqual([[requestId], [requestId]]);
  });

  it.each([
    ['another instance comes instead', { instance: crypto.randomUUID() }],
    ['it had begun', {}],
  ])('M2 M3 sends none again where %s', async (_, change) => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    if (!('instance' in change)) {
      extension.start(requestId);
      await arrived(extension);
    }
    await extension.drop();
    const back = await join(extension.again([], change));
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'extension_disconnected' });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(back.requests).toEqual([]);
  });

  it('M5 delivers the answer that the extension brings back with it, from one call', async () => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.chunk(requestId, 0, 'well, ');
    // The last that came through; the rest waits with the extension.
    await arrived(extension);
    await extension.drop();
    const back = await join(extension.again([requestId]));
    expect(back.welcome.resume).toMatchObject([{ requestId, nextSeq: 1 }]);
    back.chunk(requestId, 1, 'well');
    back.end(requestId, 2);
    expect(await result(asked)).toMatchObject({ result: 'well, well' });
    expect(await back.next('ack')).toBe(requestId);
    expect([extension.requests, back.requests]).toEqual([[requestId], []]);
  });

  it('M6 is given up where the extension stays away, and its answer is kept all the same when it comes', async () => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    extension.start(requestId);
    await arrived(extension);
    await extension.drop();
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'extension_disconnected' });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    const back = await join(extension.again([requestId]));
    expect(back.welcome.resume).toMatchObject([{ requestId, nextSeq: 0 }]);
    back.chunk(requestId, 0, 'late');
    back.end(requestId, 1);
    expect(await back.next('ack')).toBe(requestId);
    expect(JSON.parse((await rig.send(`GET /api/result/${requestId}`)).body)).toMatchObject({ result: 'late' });
    expect(back.requests).toEqual([]);
  });

  it('G16 what an extension says of a call that went to another is acknowledged, and dropped', async () => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    const other = await join(connectExtension(rig.bridge.url));
    await extension.drop();
    const back = await join(extension.again([], { paused: true }));
    expect(await other.next('request')).toBe(requestId);
    back.answer(requestId, 'of the first');
    expect(await back.next('ack')).toBe(requestId);
    other.answer(requestId, 'of the second');
    expect(await result(asked)).toMatchObject({ result: 'of the second' });
    back.answer(requestId, 'of the first');
    expect(await back.next('ack')).toBe(requestId);
    expect(JSON.parse((await rig.send(`GET /api/result/${requestId}`)).body)).toMatchObject({
      result: 'of the second',
    });
  });

  it('M7 gives no part of an answer for the whole', async () => {
    const asked = rig.r0();
    const requestId = await extension.next('request');
    extension.start(requestId);
    for (const seq of [0, 1, 2]) extension.chunk(requestId, seq, 'partial ');
    await extension.drop();
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'extension_disconnected' });
    expect(answer.body).not.toContain('partial');
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });

  it('M7 breaks a stream visibly off', async () => {
    const asked = rig.r1(stream);
    const requestId = await extension.next('request');
    extension.chunk(requestId, 0, 'partial ');
    await extension.drop();
    const { body } = await asked;
    expect(body).toContain('partial ');
    expect(body).toContain('"code":"extension_disconnected"');
    expect(body).not.toContain('[DONE]');
  });
});

describe('a line that is open at one end only', () => {
  const rig = useBridge({ withExtension: false, lostGraceMs: 100, limits: { heartbeatMs: 200 } });

  it('M13 is given up after two pings without an answer, and its call with it', async () => {
    const extension = await connectExtension(rig.bridge.url);
    const asked = rig.r0();
    extension.start(await extension.next('request'));
    // As a network that is gone: it takes in nothing, and answers nothing.
    extension.client.socket.pause();
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'extension_disconnected' });
    expect(rig.bridge.status.read().extensions).toEqual([]);
    extension.client.socket.resume();
    await extension.client.closed;
  });

  it('M13 is none where the pings are answered', async () => {
    const extension = await connectExtension(rig.bridge.url);
    await extension.pong(5);
    expect(rig.bridge.status.read().extensions).toHaveLength(1);
    await extension.close();
  });
});
