import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BridgeError } from '#shared/errors.ts';
import { maxAnswerChars } from '#shared/protocol.ts';

import {
  chunk,
  createPeer,
  createRig,
  end,
  failure,
  graces,
  signedOut,
  started,
  submitter,
  text,
  type Rig,
  whole,
} from './dispatcher-rig.ts';

let rig: Rig;
beforeEach(() => {
  vi.useFakeTimers();
  rig = createRig();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('requests', () => {
  it('go out in the order in which they came', () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const calls = [1, 2, 3, 4].map(() => rig.submit());
    for (const { requestId } of calls) rig.dispatcher.receive(peer, end(requestId, 0));
    expect(peer.idsOf('request')).toEqual(calls.map(({ requestId }) => requestId));
  });

  it('leave at once where they come one after the other, and together where several run', () => {
    const peer = createPeer('a', { lanes: 2 });
    rig.connect(peer);
    function runAlone(): void {
      const { requestId } = rig.submit();
      rig.dispatcher.receive(peer, end(requestId, 0));
    }
    const nowAfter = (count: number) => {
      for (let left = count; left > 0; left -= 1) runAlone();
      return peer.sentNow.length;
    };
    expect(nowAfter(8)).toBe(0);
    expect(nowAfter(2)).toBe(2);
    for (const { requestId } of [rig.submit(), rig.submit()]) rig.dispatcher.receive(peer, end(requestId, 0));
    expect(peer.sentNow.length).toBe(3);
    expect(nowAfter(8)).toBe(3);
  });

  it('go to the extension with the most free lanes', () => {
    const [small, large] = [createPeer('small', { lanes: 1 }), createPeer('large', { lanes: 3 })];
    rig.connect(small);
    rig.connect(large);
    for (let count = 0; count < 5; count += 1) rig.submit();
    expect([small.idsOf('request').length, large.idsOf('request').length]).toEqual([1, 3]);
    expect(large.idsOf('request').slice(0, 2)).toEqual(['r1', 'r2']);
    expect(rig.dispatcher.counts()).toEqual({ queued: 1, running: 4 });
  });

  it('that cannot be sent give their lane back after a while', () => {
    const peer = createPeer('a');
    rig.connect(peer);
    vi.spyOn(peer, 'send').mockImplementationOnce(() => {
      throw new Error('It cannot be written.');
    });
    expect(() => rig.submit()).toThrow('It cannot be written.');
    expect(rig.dispatcher.busyLanes(peer)).toBe(1);
    vi.advanceTimersByTime(graces.ackMs + graces.cancelGraceMs + 2);
    expect(rig.dispatcher.busyLanes(peer)).toBe(0);
    expect(rig.dispatcher.counts()).toEqual({ queued: 0, running: 0 });
  });

  it('carry what the caller asked for', () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const { requestId } = rig.submit('tell me');
    expect(peer.sent).toEqual([
      { type: 'request', requestId, chat: { messages: [{ role: 'user', content: 'tell me' }] }, caller: 'curl/8' },
    ]);
  });

  it('never occupy more than the lanes of an extension, and follow when their number changes', () => {
    const peer = createPeer('a', { lanes: 2 });
    rig.connect(peer);
    const calls = [1, 2, 3, 4, 5].map(() => rig.submit());
    expect(peer.idsOf('request')).toHaveLength(2);
    peer.lanes = 3;
    rig.dispatcher.pump();
    expect(peer.idsOf('request')).toHaveLength(3);
    peer.lanes = 1;
    for (const { requestId } of calls.slice(0, 2)) rig.dispatcher.receive(peer, end(requestId, 0));
    expect(peer.idsOf('request')).toHaveLength(3);
    expect(rig.dispatcher.busyLanes(peer)).toBe(1);
  });

  it('are sent to nobody between attach and pump, so that none overtakes the welcome', () => {
    rig.submit();
    const peer = createPeer('a');
    rig.dispatcher.attach(peer, []);
    expect(peer.sent).toEqual([]);
    rig.dispatcher.pump();
    expect(peer.idsOf('request')).toEqual(['r1']);
  });

  it('are sent to no extension that is signed out while another is signed in', () => {
    const [out, inside] = [createPeer('out', { lanes: 9, account: signedOut }), createPeer('in')];
    rig.connect(out);
    rig.connect(inside);
    rig.submit();
    rig.submit();
    expect([out.sent, inside.idsOf('request')]).toEqual([[], ['r1']]);
    expect(rig.dispatcher.counts()).toEqual({ queued: 1, running: 1 });
  });
});

describe('a request that nobody can take', () => {
  it('waits the grace for an extension and then fails', async () => {
    const call = rig.submit();
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs - 1);
    expect(call.settled()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(call.settled()).toEqual({ code: 'extension_not_connected' });
    expect(rig.dispatcher.counts()).toEqual({ queued: 0, running: 0 });
  });

  it('has its own grace, whatever came before it', async () => {
    rig.submit();
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs - 1);
    const second = rig.submit();
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs - 1);
    expect(second.settled()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(second.settled()).toEqual({ code: 'extension_not_connected' });
  });

  it('goes out when an extension comes within the grace, and is not failed later', async () => {
    const call = rig.submit();
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs - 1);
    const peer = createPeer('a');
    rig.connect(peer);
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs * 2);
    expect(call.settled()).toBeUndefined();
    rig.dispatcher.receive(peer, end(call.requestId, 0));
    expect(await call.outcome).toEqual({ text: '' });
  });

  it('gets a new grace when the last extension goes while it is queued', async () => {
    const peer = createPeer('a', { lanes: 1 });
    rig.connect(peer);
    rig.submit();
    const queued = rig.submit();
    rig.dispatcher.detach(peer);
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs + 1);
    expect(queued.settled()).toEqual({ code: 'extension_not_connected' });
  });

  it('fails at once where every extension is signed out', async () => {
    rig.connect(createPeer('a', { account: signedOut }));
    rig.connect(createPeer('b', { account: signedOut }));
    expect(await rig.submit().outcome).toEqual({ code: 'puter_not_signed_in' });
  });

  it('fails at once when the only extension signs out while it is queued', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [running, queued] = [rig.submit(), rig.submit()];
    peer.account = signedOut;
    rig.dispatcher.pump();
    expect(await queued.outcome).toEqual({ code: 'puter_not_signed_in' });
    expect(running.settled()).toBeUndefined();
  });
});

describe('a cancel', () => {
  it('of a queued request sends nothing at all', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [first, second, third] = [rig.submit(), rig.submit(), rig.submit()];
    second.cancel();
    expect(await second.outcome).toEqual({ code: 'cancelled' });
    rig.dispatcher.receive(peer, end(first.requestId, 0));
    expect(peer.idsOf('request')).toEqual([first.requestId, third.requestId]);
    expect(peer.idsOf('cancel')).toEqual([]);
  });

  it.each(['error', 'end'] as const)('of a running request keeps the lane until the extension’s %s', async (answer) => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [running, next] = [rig.submit(), rig.submit()];
    running.cancel();
    expect(await running.outcome).toEqual({ code: 'cancelled' });
    expect(peer.idsOf('cancel')).toEqual([running.requestId]);
    expect(peer.idsOf('request')).toEqual([running.requestId]);
    const last = answer === 'end' ? end(running.requestId, 0) : failure(running.requestId, 'cancelled');
    rig.dispatcher.receive(peer, last);
    expect(peer.idsOf('request')).toEqual([running.requestId, next.requestId]);
    expect(peer.idsOf('cancel')).toEqual([running.requestId]);
    expect(peer.idsOf('ack')).toEqual([running.requestId]);
  });

  it('that the extension does not confirm gives the lane back after its grace', () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [running, next] = [rig.submit(), rig.submit()];
    running.cancel();
    vi.advanceTimersByTime(graces.cancelGraceMs - 1);
    expect(peer.idsOf('request')).toEqual([running.requestId]);
    vi.advanceTimersByTime(2);
    expect(peer.idsOf('request')).toEqual([running.requestId, next.requestId]);
  });

  it('ends with the reason of whoever cancelled', async () => {
    rig.connect(createPeer('a'));
    const call = rig.submit();
    call.cancel(new BridgeError('timed_out', 'Too late.'));
    expect(await call.outcome).toEqual({ code: 'timed_out' });
  });

  it('after the end changes nothing', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const call = rig.submit();
    rig.dispatcher.receive(peer, end(call.requestId, 0));
    call.cancel();
    expect(await call.outcome).toEqual({ text: '' });
    expect(peer.idsOf('cancel')).toEqual([]);
  });
});

describe('an answer', () => {
  it('reaches the caller part by part, and is acknowledged once it is whole and recorded', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const call = rig.submit();
    rig.dispatcher.receive(peer, started(call.requestId));
    rig.dispatcher.receive(peer, chunk(call.requestId, 0, text('You '), text('said')));
    await vi.advanceTimersByTimeAsync(0);
    expect(call.events).toEqual([text('You '), text('said')]);
    expect(peer.idsOf('ack')).toEqual([]);
    rig.dispatcher.receive(peer, end(call.requestId, 1));
    expect(await call.outcome).toEqual({ text: 'You said' });
    const { finishReason, model, usage } = end(call.requestId, 1);
    expect(call.events.at(-1)).toEqual({ type: 'finish', finishReason, model, usage });
    expect(peer.idsOf('ack')).toEqual([]);
    for (let time = 0; time < 2; time += 1) rig.dispatcher.recorded(call.requestId);
    expect(peer.idsOf('ack')).toEqual([call.requestId]);
  });

  it('that fails ends the call with its failure, and gives the lane back', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [call, next] = [rig.submit(), rig.submit()];
    rig.dispatcher.receive(peer, failure(call.requestId, 'model_not_found'));
    expect(await call.outcome).toEqual({ code: 'model_not_found' });
    expect(peer.idsOf('request')).toEqual([call.requestId, next.requestId]);
    expect(peer.idsOf('cancel')).toEqual([]);
  });

  it.each(['end', 'failure'])(
    'is acknowledged once where its caller records the %s in the turn it comes in',
    (last) => {
      const peer = createPeer('a');
      rig.connect(peer);
      const requestId = 'at once';
      const record = () => rig.dispatcher.recorded(requestId);
      const events = rig.dispatcher.submit({ messages: [] }, { requestId, submitter });
      events.pipe({
        write() {
          record();
          return true;
        },
        fail: record,
      });
      events.resume();
      rig.dispatcher.receive(peer, last === 'end' ? end(requestId, 0) : failure(requestId));
      expect(peer.idsOf('ack')).toEqual([requestId]);
      expect(rig.dispatcher.recording('a', requestId)).toBeUndefined();
    },
  );

  it('ignores a piece that comes twice', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const { requestId, outcome } = rig.submit();
    for (const seq of [0, 0, 1, 0, 1]) rig.dispatcher.receive(peer, chunk(requestId, seq, text(String(seq))));
    rig.dispatcher.receive(peer, end(requestId, 2));
    rig.dispatcher.receive(peer, end(requestId, 2));
    expect(await outcome).toEqual({ text: '01' });
  });

  it('with a piece missing fails, and the call is cancelled', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const { requestId, outcome } = rig.submit();
    rig.dispatcher.receive(peer, chunk(requestId, 1, text('late')));
    expect(await outcome).toEqual({ code: 'extension_failed' });
    expect(peer.idsOf('cancel')).toEqual([requestId]);
  });

  it('may be as long as the limit and not a character longer', async () => {
    const peer = createPeer('a', { lanes: 2 });
    rig.connect(peer);
    const [fits, long] = [rig.submit(), rig.submit()];
    const last = 100;
    const most = text('x'.repeat(maxAnswerChars - last));
    for (const { requestId } of [fits, long]) rig.dispatcher.receive(peer, chunk(requestId, 0, most));
    rig.dispatcher.receive(peer, chunk(fits.requestId, 1, text('x'.repeat(last))));
    rig.dispatcher.receive(peer, end(fits.requestId, 2));
    rig.dispatcher.receive(
      peer,
      chunk(long.requestId, 1, { type: 'reasoning', text: 'x'.repeat(last + 1) }, text('never seen')),
    );
    expect(await long.outcome).toEqual({ code: 'answer_too_large' });
    expect(await fits.outcome).toHaveProperty('text.length', maxAnswerChars);
    expect(peer.idsOf('cancel')).toEqual([long.requestId]);
  });

  it('from an extension that does not hold the call is ignored', async () => {
    const [holder, other] = [createPeer('holder', { lanes: 2 }), createPeer('other')];
    rig.connect(holder);
    rig.connect(other);
    const call = rig.submit();
    const { requestId } = call;
    const frames = [started(requestId), chunk(requestId, 0, text('forged')), failure(requestId), end(requestId, 0)];
    for (const frame of frames) rig.dispatcher.receive(other, frame);
    expect(rig.dispatcher.deliver(other.instance, requestId, whole('forged'))).toBe(false);
    expect(rig.dispatcher.busyLanes(holder)).toBe(1);
    rig.dispatcher.receive(holder, chunk(requestId, 0, text('true')));
    rig.dispatcher.receive(holder, end(requestId, 1));
    expect(await call.outcome).toEqual({ text: 'true' });
  });

  it('to a call that nobody knows is acknowledged, so that the extension forgets it', () => {
    const peer = createPeer('a');
    rig.connect(peer);
    for (const requestId of ['gone', '__proto__', 'constructor']) {
      rig.dispatcher.receive(peer, started(requestId));
      rig.dispatcher.receive(peer, chunk(requestId, 0, text('x')));
      rig.dispatcher.receive(peer, end(requestId, 1));
    }
    expect(peer.idsOf('ack')).toEqual(['gone', '__proto__', 'constructor']);
  });
});

describe('when the bridge stops', () => {
  it('everything that is open ends, running or queued, and no timer is left', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const calls = [rig.submit(), rig.submit(), rig.submit()];
    rig.dispatcher.receive(peer, chunk('r1', 0, text('half')));
    rig.dispatcher.abandon(new BridgeError('shutting_down', 'Stopping.'));
    rig.dispatcher.detach(peer);
    for (const call of calls) expect(await call.outcome).toEqual({ code: 'shutting_down' });
    expect(rig.dispatcher.counts()).toEqual({ queued: 0, running: 0 });
    expect(rig.timersLeft()).toBe(0);
    expect(peer.idsOf('cancel')).toEqual(['r1']);
  });
});

it('tells of every change in what it counts', () => {
  let told = 0;
  rig = createRig(() => (told += 1));
  const peer = createPeer('a');
  const steps = [
    () => rig.connect(peer),
    () => rig.submit(),
    () => rig.dispatcher.receive(peer, started('r1')),
    () => rig.dispatcher.receive(peer, chunk('r1', 0, text('x'))),
    () => rig.dispatcher.receive(peer, end('r1', 1)),
    () => rig.dispatcher.detach(peer),
  ];
  for (const step of steps) {
    const before = told;
    step();
    expect(told).toBeGreaterThan(before);
  }
});
