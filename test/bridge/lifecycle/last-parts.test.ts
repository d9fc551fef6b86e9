import { beforeEach, describe, expect, it } from 'vitest';

import { maxAnswerChars } from '#shared/protocol.ts';

import { chunk, createPeer, createRig, end, started, text, type TestPeer } from './dispatcher-rig.ts';

/** An end that holds the last of its answer. */

let rig: ReturnType<typeof createRig>;
let peer: TestPeer;
beforeEach(() => {
  rig = createRig();
  peer = createPeer('a', { lanes: 3 });
  rig.connect(peer);
});

const endWith = (requestId: string, seq: number, ...words: string[]) => ({
  ...end(requestId, seq),
  parts: words.map(text),
});

describe('an end with parts', () => {
  it('is the last of the answer, or all of it', async () => {
    const [short, long] = [rig.submit(), rig.submit()];
    rig.dispatcher.receive(peer, started(short.requestId));
    rig.dispatcher.receive(peer, endWith(short.requestId, 0, 'all ', 'of it'));
    rig.dispatcher.receive(peer, chunk(long.requestId, 0, text('first, ')));
    rig.dispatcher.receive(peer, endWith(long.requestId, 1, 'last'));
    expect([await short.outcome, await long.outcome]).toEqual([{ text: 'all of it' }, { text: 'first, last' }]);
  });

  it('is none of it where a piece before it was lost', async () => {
    const call = rig.submit();
    rig.dispatcher.receive(peer, endWith(call.requestId, 1, 'second'));
    expect(await call.outcome).toEqual({ code: 'extension_failed' });
    expect(call.events).toEqual([]);
  });

  it('that comes again is acknowledged, and counts once', async () => {
    const call = rig.submit();
    const last = endWith(call.requestId, 0, 'once');
    rig.dispatcher.receive(peer, last);
    rig.dispatcher.recorded(call.requestId);
    rig.dispatcher.receive(peer, last);
    expect(await call.outcome).toEqual({ text: 'once' });
    expect(peer.idsOf('ack')).toEqual([call.requestId, call.requestId]);
  });

  it('that makes the answer too large fails it, and gives the lane back', async () => {
    const call = rig.submit();
    rig.dispatcher.receive(peer, chunk(call.requestId, 0, text('x')));
    rig.dispatcher.receive(peer, endWith(call.requestId, 1, 'x'.repeat(maxAnswerChars)));
    expect(await call.outcome).toEqual({ code: 'answer_too_large' });
    expect(rig.dispatcher.busyLanes(peer)).toBe(0);
    expect(peer.idsOf('cancel')).toEqual([]);
  });
});
