import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';
import { maxUnreadChars, type AnswerFrame, type FrameToExtension } from '#shared/protocol.ts';

import { createOutbox } from '../../../extension/relay/outbox.ts';
import { createReader } from '../flow-rig.ts';
import {
  cancelled,
  chunk,
  createPeer,
  createRig,
  end,
  submitter,
  text,
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

let rooms = 0;
/** A call whose caller reads only when told to. */
function submit() {
  const requestId = `room ${(rooms += 1)}`;
  const events = rig.dispatcher.submit({ messages: [] }, { requestId, submitter });
  const reader = createReader(events);
  async function read(): Promise<ChatEvent> {
    const event = await reader.next();
    await turn();
    return event;
  }
  return { requestId, read, cancel: () => rig.dispatcher.cancel(requestId, cancelled()) };
}

const turn = () => vi.advanceTimersByTimeAsync(0);
const roomOf = ({ sent }: TestPeer) => sent.flatMap((frame) => (frame.type === 'room' ? [frame.chars] : []));
const quarter = 'x'.repeat(maxUnreadChars / 4);

/** As much as goes out without a word from the bridge. */
async function fill() {
  const call = submit();
  for (const seq of [0, 1, 2, 3]) rig.dispatcher.receive(peer, chunk(call.requestId, seq, text(quarter)));
  await turn();
  return call;
}

describe('room for more of an answer', () => {
  it('is not told while the caller does not read, and then in steps', async () => {
    const call = await fill();
    expect(roomOf(peer)).toEqual([]);
    await call.read();
    expect(roomOf(peer)).toEqual([]);
    await call.read();
    expect(peer.sent.at(-1)).toEqual({ type: 'room', requestId: call.requestId, chars: maxUnreadChars / 2 });
    await call.read();
    await call.read();
    expect(roomOf(peer)).toEqual([maxUnreadChars / 2, maxUnreadChars / 2]);
  });

  it('is as large as before once a frame was read that was larger than it', async () => {
    const call = submit();
    rig.dispatcher.receive(
      peer,
      chunk(call.requestId, 0, text(quarter), { type: 'reasoning', text: quarter.repeat(9) }),
    );
    await turn();
    await call.read();
    expect(roomOf(peer)).toEqual([]);
    await call.read();
    expect(roomOf(peer)).toEqual([quarter.length * 10]);
  });

  it('costs no frame where the whole answer is small', async () => {
    const call = rig.submit();
    for (let seq = 0; seq < 100; seq += 1) rig.dispatcher.receive(peer, chunk(call.requestId, seq, text('word ')));
    rig.dispatcher.receive(peer, end(call.requestId, 100));
    await call.outcome;
    expect(roomOf(peer)).toEqual([]);
  });

  it('is told with the resumption after a lost connection, and then to the new one', async () => {
    const call = await fill();
    await call.read();
    rig.dispatcher.detach(peer);
    const back = createPeer('a', { profile: 'p' });
    expect(rig.connect(back, [call.requestId])).toEqual([
      { requestId: call.requestId, nextSeq: 4, room: quarter.length },
    ]);
    await call.read();
    await call.read();
    expect([roomOf(peer), roomOf(back)]).toEqual([[], [quarter.length * 2]]);
  });

  it('that is made while the connection is lost is told with the resumption', async () => {
    const call = await fill();
    rig.dispatcher.detach(peer);
    for (const _ of [0, 1, 2]) await call.read();
    const back = createPeer('a', { profile: 'p' });
    expect(rig.connect(back, [call.requestId])).toMatchObject([{ room: quarter.length * 3 }]);
    await call.read();
    expect(roomOf(back)).toEqual([]);
  });

  it('is none where one frame was larger than all of it', async () => {
    const call = submit();
    rig.dispatcher.receive(peer, chunk(call.requestId, 0, text(quarter.repeat(5))));
    rig.dispatcher.detach(peer);
    const back = createPeer('a', { profile: 'p' });
    expect(rig.connect(back, [call.requestId])).toMatchObject([{ nextSeq: 1, room: 0 }]);
    await call.read();
    expect(roomOf(back)).toEqual([maxUnreadChars]);
  });

  it.each(['ended', 'cancelled'])(
    'is told no more once the call is %s, and what was read so far stays',
    async (how) => {
      const call = await fill();
      await call.read();
      if (how === 'cancelled') call.cancel();
      else rig.dispatcher.receive(peer, end(call.requestId, 4));
      const rest: unknown[] = [];
      for (const _ of [0, 1, 2, 3]) rest.push(await call.read().catch((error: unknown) => error));
      expect(rest.map((event) => (event as { type?: string; code?: string }).type)).toEqual(
        how === 'ended' ? ['text', 'text', 'text', 'finish'] : [undefined, undefined, undefined, undefined],
      );
      expect(roomOf(peer)).toEqual([]);
    },
  );
});

/** What may happen next on the way of one answer; `carry` brings what is on the wire to the other side. */
type Step = { do: 'produce'; chars: number } | { do: 'read' | 'carry' | 'cut' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('produce' as const), chars: fc.nat(maxUnreadChars / 2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'carry' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
);

it('whatever is produced, read and lost, the bridge holds little, and the caller gets all of it in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      rig = createRig();
      let line = createPeer('a', { profile: 'p' });
      rig.connect(line);
      const call = submit();
      const outbox = createOutbox();
      outbox.open(call.requestId);
      const wire: AnswerFrame[] = [];
      let [heard, produced, arrived, unread] = [0, 0, 0, 0];
      const read: number[] = [];

      const hear = (frame: FrameToExtension) => frame.type === 'room' && outbox.addRoom(frame.requestId, frame.chars);
      async function carry(): Promise<void> {
        for (const frame of wire.splice(0)) {
          rig.dispatcher.receive(line, frame);
          if (frame.type !== 'chunk') continue;
          arrived += 1;
          for (const part of frame.parts) unread += part.type === 'text' ? part.text.length : 0;
        }
        await turn();
        for (; heard < line.sent.length; heard += 1) hear(line.sent[heard]!);
        wire.push(...outbox.take(call.requestId));
      }
      async function take(): Promise<void> {
        const event = await call.read();
        if (event.type !== 'text') return;
        unread -= event.text.length;
        read.push(Number.parseInt(event.text, 10));
      }
      async function act(next: Step): Promise<void> {
        if (next.do === 'read') return arrived > read.length ? take() : undefined;
        if (next.do === 'carry') return carry();
        if (next.do === 'produce') {
          const label = `${produced}.`;
          outbox.add(call.requestId, { type: 'chunk', parts: [text(label.padEnd(next.chars, 'x'))] });
          produced += 1;
        } else {
          rig.dispatcher.detach(line);
          wire.length = 0;
          line = createPeer('a', { profile: 'p' });
          heard = 0;
          for (const resumption of rig.connect(line, [call.requestId])) outbox.resume(resumption);
        }
        wire.push(...outbox.take(call.requestId));
      }

      for (const next of steps) {
        await act(next);
        expect(unread).toBeLessThan(maxUnreadChars * 1.5);
      }
      while (read.length < produced) await act({ do: arrived > read.length ? 'read' : 'carry' });
      expect(read).toEqual(Array.from({ length: produced }, (_, index) => index));
    }),
    { numRuns: 100 },
  );
});
