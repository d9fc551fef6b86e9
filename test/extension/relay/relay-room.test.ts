import { describe, expect, it } from 'vitest';

import { maxUnreadChars } from '#shared/protocol.ts';

import { end, otherId, request, requestId, startConnected, text, typesOf } from './relay-rig.ts';
import { patiently, type Line } from './scripted-bridge.ts';

describe('an answer that the bridge has no room for', () => {
  /** A call of which one chunk went out and the next waits. */
  async function startWaiting() {
    const started = await startConnected();
    const { rig, line } = started;
    line.send(request());
    const call = await rig.call();
    call.onParts([text('x'.repeat(maxUnreadChars))]);
    call.onParts([text('a')]);
    await settle(line);
    expect(typesOf(line)).toEqual(['started', 'chunk']);
    return { ...started, call };
  }
  /** What was sent before is there when the pong is. */
  async function settle(line: Line): Promise<void> {
    const pongs = () => line.frames.filter(({ type }) => type === 'pong').length;
    const before = pongs();
    line.send({ type: 'ping' });
    await expect.poll(pongs, patiently).toBe(before + 1);
  }

  it('waits until it has, and then comes in order and once', async () => {
    const { line, call } = await startWaiting();
    call.onParts([text('b')]);
    call.onEnd(end, []);
    line.send({ type: 'room', requestId: otherId, chars: 1 });
    line.send({ type: 'room', requestId, chars: 1 });
    await settle(line);
    expect(typesOf(line)).toEqual(['started', 'chunk', 'chunk']);
    line.send({ type: 'room', requestId, chars: 1 });
    line.send({ type: 'room', requestId, chars: 1 });
    await settle(line);
    expect(line.frames.flatMap((frame) => ('seq' in frame ? [frame.seq] : []))).toEqual([0, 1, 2, 3]);
  });

  it('waits on over a lost line, and only as much as the bridge then has room for is sent', async () => {
    const { bridge, rig, line, call } = await startWaiting();
    line.end();
    await rig.become('no_bridge');
    const next = bridge.nextLine();
    rig.relay.retry();
    const second = await next;
    second.welcome([{ requestId, nextSeq: 1, room: 0 }]);
    call.onParts([text('b')]);
    await settle(second);
    expect(typesOf(second)).toEqual([]);
    second.send({ type: 'room', requestId, chars: 2 });
    await settle(second);
    expect(typesOf(second)).toEqual(['chunk', 'chunk']);
  });

  it('is handed in whole by post where the line is lost', async () => {
    const { bridge, rig, line, call } = await startWaiting();
    line.end();
    await rig.become('no_bridge');
    call.onEnd(end, []);
    const chunks = [[text('x'.repeat(maxUnreadChars))], [text('a')]];
    await expect.poll(() => bridge.handedIn, patiently).toMatchObject([{ body: { request_id: requestId, chunks } }]);
  });

  it.each(['cancelled by the bridge', 'stopped by the person'])(
    'keeps the bridge waiting for nothing once it is %s',
    async (how) => {
      const { rig, line } = await startWaiting();
      if (how.startsWith('stopped')) rig.relay.stop(requestId);
      else line.send({ type: 'cancel', requestId });
      await line.frame('error');
      expect(typesOf(line)).toEqual(['started', 'chunk', 'error']);
    },
  );

  it('says that it has ended where the bridge cancels it after its end', async () => {
    const { line, call } = await startWaiting();
    call.onEnd(end, []);
    await settle(line);
    expect(typesOf(line)).toEqual(['started', 'chunk']);
    line.send({ type: 'cancel', requestId });
    await line.frame('end');
    expect([typesOf(line), call.isCancelled]).toEqual([['started', 'chunk', 'end'], false]);
  });

  it('is not passed over by a stop that comes after its end', async () => {
    const { rig, line, call } = await startWaiting();
    call.onEnd(end, []);
    rig.relay.stop(requestId);
    line.send({ type: 'room', requestId, chars: 1 });
    await line.frame('end');
    expect(typesOf(line)).toEqual(['started', 'chunk', 'chunk', 'end']);
  });
});
