import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { AnswerPart, ChatEvent } from '#shared/chat.ts';
import { maxAnswerChars } from '#shared/protocol.ts';

import type { Source } from '../../../bridge/flow.ts';
import { createOutbox } from '../../../extension/relay/outbox.ts';
import { readAll } from '../flow-rig.ts';
import {
  chunk,
  createPeer,
  createRig,
  end,
  failure,
  graces,
  started,
  text,
  whole,
  type Rig,
  type TestPeer,
} from './dispatcher-rig.ts';

let rig: Rig;
let peer: TestPeer;
beforeEach(() => {
  vi.useFakeTimers();
  rig = createRig();
  peer = createPeer('a', { profile: 'p' });
  rig.connect(peer);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Another socket of the extension that `peer` was. */
const again = (instance = 'a', profile = 'p') => createPeer(instance, { profile });

describe('a call whose connection is lost', () => {
  it('goes on where it was when the same instance comes back', async () => {
    const call = rig.submit();
    rig.dispatcher.receive(peer, chunk(call.requestId, 0, text('You ')));
    rig.dispatcher.detach(peer);
    const back = again();
    expect(rig.connect(back, [call.requestId])).toMatchObject([{ requestId: call.requestId, nextSeq: 1 }]);
    expect(back.idsOf('request')).toEqual([]);
    expect(rig.dispatcher.busyLanes(back)).toBe(1);
    rig.dispatcher.receive(back, chunk(call.requestId, 1, text('said')));
    rig.dispatcher.receive(back, end(call.requestId, 2));
    expect(await call.outcome).toEqual({ text: 'You said' });
    await vi.advanceTimersByTimeAsync(graces.lostGraceMs);
    expect(rig.dispatcher.busyLanes(back)).toBe(0);
  });

  it('keeps the lane that it resumes on from anybody else', () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    const waiting = rig.submit();
    const back = again();
    rig.connect(back, [call.requestId]);
    expect(back.idsOf('request')).toEqual([]);
    rig.dispatcher.receive(back, end(call.requestId, 0));
    expect(back.idsOf('request')).toEqual([waiting.requestId]);
  });

  it('counts once among those that Puter lets its account start, however often it is found again', () => {
    const options = { profile: 'r', lanes: 3, rate: 2 };
    let live = createPeer('r', options);
    rig.dispatcher.detach(peer);
    rig.connect(live);
    const call = rig.submit();
    for (let time = 0; time < 3; time += 1) {
      rig.dispatcher.detach(live);
      live = createPeer('r', options);
      rig.connect(live, [call.requestId]);
    }
    const next = rig.submit();
    expect(live.idsOf('request')).toEqual([next.requestId]);
    const beyond = rig.submit();
    expect(live.idsOf('request')).not.toContain(beyond.requestId);
  });

  it('may be lost and found again and again', async () => {
    const call = rig.submit();
    let live = peer;
    for (const seq of [0, 1, 2]) {
      rig.dispatcher.receive(live, chunk(call.requestId, seq, text(String(seq))));
      rig.dispatcher.detach(live);
      await vi.advanceTimersByTimeAsync(graces.lostGraceMs - 1);
      live = again();
      rig.connect(live, [call.requestId]);
    }
    rig.dispatcher.receive(live, end(call.requestId, 3));
    expect(await call.outcome).toEqual({ text: '012' });
  });

  it('goes out again, once, when the same instance never had it', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    const back = again();
    expect(rig.connect(back)).toEqual([]);
    expect(back.idsOf('request')).toEqual([call.requestId]);
    rig.dispatcher.receive(back, started(call.requestId));
    rig.dispatcher.detach(back);
    const third = again();
    rig.connect(third);
    expect(third.idsOf('request')).toEqual([]);
    expect(await call.outcome).toEqual({ code: 'extension_disconnected' });
  });

  it('goes out again before whatever came later', () => {
    const call = rig.submit();
    const later = rig.submit();
    rig.dispatcher.detach(peer);
    const back = again();
    rig.connect(back);
    rig.dispatcher.receive(back, end(call.requestId, 0));
    expect(back.idsOf('request')).toEqual([call.requestId, later.requestId]);
  });

  it('goes out again in its old order where several never arrived', () => {
    rig.dispatcher.detach(peer);
    const wide = createPeer('wide', { profile: 'w', lanes: 3 });
    rig.connect(wide);
    const calls = [rig.submit(), rig.submit(), rig.submit()];
    rig.dispatcher.detach(wide);
    const back = createPeer('wide', { profile: 'w', lanes: 3 });
    rig.connect(back);
    expect(back.idsOf('request')).toEqual(calls.map(({ requestId }) => requestId));
  });

  it('that had begun fails when the same instance no longer holds it', async () => {
    const call = rig.submit();
    rig.dispatcher.receive(peer, started(call.requestId));
    rig.dispatcher.detach(peer);
    const back = again();
    expect(rig.connect(back)).toEqual([]);
    expect(await call.outcome).toEqual({ code: 'extension_disconnected' });
    expect(back.sent).toEqual([]);
  });

  it('fails at once when another instance of the same profile comes: the page was restarted', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    const restarted = again('b');
    // Whatever the newcomer claims to hold, it was not given to it.
    expect(rig.connect(restarted, [call.requestId])).toEqual([]);
    expect(await call.outcome).toEqual({ code: 'extension_disconnected' });
    expect(restarted.sent).toEqual([]);
  });

  it('is left alone when another profile comes', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    const stranger = again('b', 'q');
    expect(rig.connect(stranger, [call.requestId])).toEqual([]);
    await vi.advanceTimersByTimeAsync(graces.lostGraceMs - 1);
    expect(call.settled()).toBeUndefined();
    expect(stranger.sent).toEqual([]);
    expect(rig.connect(again(), [call.requestId])).toHaveLength(1);
  });

  it('fails at once when its profile will not come back; those of others, and what runs, go on', async () => {
    const other = createPeer('b', { profile: 'q' });
    rig.connect(other);
    const [mine, theirs] = [rig.submit(), rig.submit()];
    for (const it of [peer, other]) rig.dispatcher.detach(it);
    rig.dispatcher.forsake('p');
    expect(await mine.outcome).toMatchObject({ code: 'extension_disconnected' });
    const back = createPeer('b', { profile: 'q' });
    expect(rig.connect(back, [theirs.requestId])).toMatchObject([{ requestId: theirs.requestId }]);
    rig.dispatcher.forsake('q');
    rig.dispatcher.receive(back, end(theirs.requestId, 0));
    expect(await theirs.outcome).toEqual({ text: '' });
  });

  it('fails when the grace is over', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    await vi.advanceTimersByTimeAsync(graces.lostGraceMs - 1);
    expect(call.settled()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(call.settled()).toEqual({ code: 'extension_disconnected' });
    // And is no longer wanted by then.
    expect(rig.connect(again(), [call.requestId])).toEqual([]);
  });

  it('can be cancelled meanwhile, and then is not wanted back', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    call.cancel();
    expect(await call.outcome).toEqual({ code: 'cancelled' });
    const back = again();
    expect(rig.connect(back, [call.requestId])).toEqual([]);
    expect(back.sent).toEqual([]);
    expect(rig.timersLeft()).toBe(0);
  });

  it('counts as running, not as queued', () => {
    rig.submit();
    rig.dispatcher.detach(peer);
    expect(rig.dispatcher.counts()).toEqual({ queued: 0, running: 1 });
  });

  it('that nobody asked to resume was never one that the bridge does not know', () => {
    rig.dispatcher.detach(peer);
    expect(rig.connect(again(), ['r9', '__proto__'])).toEqual([]);
  });
});

describe('an answer that comes beside the socket', () => {
  const thought: AnswerPart = { type: 'reasoning', text: 'Hmm' };
  const toolCall: AnswerPart = { type: 'tool_call', id: 'c', name: 'n', arguments: '{}' };

  it.each([0, 1, 2, 3])(
    'completes what the socket had begun, tool calls and reasoning too: %d chunks there already',
    async (there) => {
      const call = rig.submit();
      const chunks = [[thought, text('You ')], [text('said')], [toolCall]];
      for (const [seq, parts] of chunks.slice(0, there).entries())
        rig.dispatcher.receive(peer, chunk(call.requestId, seq, ...parts));
      rig.dispatcher.detach(peer);
      expect(rig.dispatcher.deliver('a', call.requestId, whole(...chunks))).toBe(true);
      expect(await call.outcome).toEqual({ text: 'You said' });
      expect(call.events.slice(0, -1)).toEqual(chunks.flat());
    },
  );

  it('that is shorter than what the socket had brought is no answer', async () => {
    const call = rig.submit();
    for (const seq of [0, 1]) rig.dispatcher.receive(peer, chunk(call.requestId, seq, text('x')));
    rig.dispatcher.detach(peer);
    rig.dispatcher.deliver('a', call.requestId, whole('x'));
    expect(await call.outcome).toEqual({ code: 'extension_failed' });
  });

  it('may be as long as the limit and not a character longer', async () => {
    const call = rig.submit();
    rig.dispatcher.receive(peer, chunk(call.requestId, 0, text('x')));
    rig.dispatcher.detach(peer);
    rig.dispatcher.deliver('a', call.requestId, whole('x', 'x'.repeat(maxAnswerChars)));
    expect(await call.outcome).toEqual({ code: 'answer_too_large' });
  });

  it('may be a failure', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    expect(rig.dispatcher.deliver('a', call.requestId, { error: { code: 'upstream_failed', message: 'No.' } })).toBe(
      true,
    );
    expect(await call.outcome).toEqual({ code: 'upstream_failed' });
  });

  it('is taken once', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    expect(rig.dispatcher.deliver('a', call.requestId, whole('first'))).toBe(true);
    expect(rig.dispatcher.deliver('a', call.requestId, whole('second'))).toBe(false);
    expect(await call.outcome).toEqual({ text: 'first' });
    expect(rig.timersLeft()).toBe(0);
  });

  it.each([
    ['another instance', 'b', 'r1'],
    ['an unknown request', 'a', 'r9'],
    ['a name out of the prototype', 'a', '__proto__'],
  ])('is refused for %s', (_, instance, requestId) => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    expect(rig.dispatcher.deliver(instance, requestId, whole('forged'))).toBe(false);
    expect(call.settled()).toBeUndefined();
  });

  it('is refused for a request that is still queued', () => {
    rig.submit();
    const queued = rig.submit();
    expect(rig.dispatcher.deliver('a', queued.requestId, whole('forged'))).toBe(false);
  });

  it('while the socket lives gives the lane back and sends no cancel', () => {
    const call = rig.submit();
    rig.dispatcher.deliver('a', call.requestId, whole('done'));
    expect(rig.dispatcher.busyLanes(peer)).toBe(0);
    expect(peer.idsOf('cancel')).toEqual([]);
  });

  it('while the socket lives lets the next request go', () => {
    const [call, next] = [rig.submit(), rig.submit()];
    rig.dispatcher.deliver('a', call.requestId, whole('done'));
    expect(peer.idsOf('request')).toEqual([call.requestId, next.requestId]);
  });

  it('leaves late frames of the same answer without effect', async () => {
    const call = rig.submit();
    rig.dispatcher.detach(peer);
    rig.dispatcher.deliver('a', call.requestId, whole('done'));
    const back = again();
    rig.connect(back, [call.requestId]);
    rig.dispatcher.receive(back, chunk(call.requestId, 0, text('more')));
    rig.dispatcher.receive(back, failure(call.requestId));
    expect(await call.outcome).toEqual({ text: 'done' });
    rig.dispatcher.recorded(call.requestId);
    expect(back.idsOf('ack')).toEqual([call.requestId]);
  });

  it('M6 is taken also where it was given up', async () => {
    const recalled: string[] = [];
    const journal = { dispatched() {}, requeued() {}, recall };
    const { dispatcher } = (rig = createRig(() => {}, { journal }));
    let late: Source<ChatEvent> | undefined;
    function recall(requestId: string): void {
      recalled.push(requestId);
      late = dispatcher.restore(requestId, { instance: 'a', profile: 'p' });
    }
    expect(dispatcher.deliver('a', 'r7', whole('late'))).toBe(true);
    expect(recalled).toEqual(['r7']);
    expect((await readAll(late!))[0]).toEqual(text('late'));
  });
});

describe('a call from before the bridge was started', () => {
  it('fails where Puter turned it away: what it asked is not known here', async () => {
    const events = rig.dispatcher.restore('r7', { instance: 'a', profile: 'p' });
    const back = again();
    expect(rig.connect(back, ['r7'])).toHaveLength(1);
    const upstream = { message: 'Slow down.', code: 'too_many_requests' };
    const error = { code: 'upstream_failed' as const, message: 'It was too much.', upstream };
    rig.dispatcher.receive(back, { type: 'error', requestId: 'r7', error });
    await expect(readAll(events)).rejects.toMatchObject({ failure: error });
    expect(back.idsOf('request')).toEqual([]);
  });
});

describe('an answer that is not recorded yet', () => {
  /** All of it came, and was not acknowledged. */
  function finish(): string {
    const { requestId } = rig.submit();
    rig.dispatcher.receive(peer, started(requestId));
    rig.dispatcher.receive(peer, end(requestId, 0));
    return requestId;
  }

  it('is kept by its extension over a reconnect, and is not sent again', () => {
    const requestId = finish();
    rig.dispatcher.detach(peer);
    const back = again();
    const [resumption] = rig.connect(back, [requestId]);
    const outbox = createOutbox();
    outbox.open(requestId);
    outbox.add(requestId, { type: 'started' });
    outbox.add(requestId, { type: 'end', finishReason: 'stop', model: null, usage: null });
    outbox.resume(resumption!);
    expect(outbox.take(requestId)).toEqual([]);
    expect(rig.dispatcher.busyLanes(back)).toBe(0);
    rig.dispatcher.recorded(requestId);
    expect(back.idsOf('ack')).toEqual([requestId]);
  });

  it('is acknowledged at once where it comes again after that', () => {
    const requestId = finish();
    rig.dispatcher.receive(peer, end(requestId, 0));
    expect(peer.idsOf('ack')).toEqual([]);
    rig.dispatcher.recorded(requestId);
    rig.dispatcher.receive(peer, end(requestId, 0));
    expect(peer.idsOf('ack')).toEqual([requestId, requestId]);
  });

  it('lets the one that handed it in wait until it is', async () => {
    const { requestId } = rig.submit();
    rig.dispatcher.detach(peer);
    expect(rig.dispatcher.deliver('a', requestId, whole('done'))).toBe(true);
    expect(rig.dispatcher.recording('b', requestId)).toBeUndefined();
    const recording = rig.dispatcher.recording('a', requestId);
    rig.dispatcher.recorded(requestId);
    await expect(recording).resolves.toBeUndefined();
    expect(rig.dispatcher.recording('a', requestId)).toBeUndefined();
  });
});
