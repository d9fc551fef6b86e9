import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { partChars, type AnswerEnd, type AnswerPart } from '#shared/chat.ts';
import { maxUnreadChars, type AnswerFrame } from '#shared/protocol.ts';

import { queued, transition, type RequestEvent } from '../../../bridge/lifecycle/request-state.ts';
import { createOutbox } from '../../../extension/relay/outbox.ts';
import { answerEnd, answerPart, failure } from '../../shared/arbitraries.ts';

const chunk = fc.array(answerPart, { minLength: 1, maxLength: 3 });
const chunks = fc.array(chunk, { maxLength: 8 });
const end: AnswerEnd & { parts?: AnswerPart[] } = { finishReason: 'stop', model: null, usage: null };
const text = (text: string) => ({ type: 'text' as const, text });

/** An outbox with one request in it, and the frames that it gave out. */
function filled(parts: readonly (readonly ReturnType<typeof text>[])[] = [], closing = end) {
  const outbox = createOutbox();
  outbox.open('r');
  outbox.add('r', { type: 'started' });
  for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: [...chunk] });
  outbox.add('r', { type: 'end', ...closing });
  return { outbox, frames: outbox.take('r') };
}

const seqOf = (frame: AnswerFrame | undefined) => (frame && 'seq' in frame ? frame.seq : undefined);

describe('the frames of an answer', () => {
  it('are numbered from 0 without a gap, the end included, and the start is not', () => {
    const { frames } = filled([[text('a')], [text('b')]]);
    expect(frames.map(seqOf)).toEqual([undefined, 0, 1, 2]);
    expect(frames.map(({ requestId }) => requestId)).toEqual(['r', 'r', 'r', 'r']);
  });

  it('are numbered for each request alone', () => {
    const outbox = createOutbox();
    for (const id of ['a', 'b']) outbox.open(id);
    for (const id of ['a', 'b', 'a', 'b']) outbox.add(id, { type: 'chunk', parts: [] });
    expect(['a', 'b'].map((id) => outbox.take(id).map(seqOf))).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('are not kept for a request that is not open', () => {
    const outbox = createOutbox();
    outbox.add('r', { type: 'started' });
    expect([outbox.has('r'), outbox.held(), outbox.take('r')]).toEqual([false, [], []]);
  });

  it('are gone once they are forgotten', () => {
    const { outbox } = filled([[text('a')]]);
    outbox.forget('r');
    outbox.resume({ requestId: 'r', nextSeq: 0, room: maxUnreadChars });
    expect([outbox.has('r'), outbox.held(), outbox.take('r'), outbox.finished()]).toEqual([false, [], [], []]);
  });
});

describe('after a lost connection', () => {
  it('what was received and what is sent again are the whole answer, in order, for any split', () => {
    fc.assert(
      fc.property(chunks, fc.option(chunk), answerEnd, fc.nat(), (parts, last, closing, split) => {
        const outbox = createOutbox();
        outbox.open('r');
        for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: chunk });
        outbox.add('r', { type: 'end', ...(last && { parts: last }), ...closing });
        const all = outbox.take('r');
        const nextSeq = split % (all.length + 1);
        outbox.resume({ requestId: 'r', nextSeq, room: maxUnreadChars });
        const again = outbox.take('r');
        expect([...all.slice(0, nextSeq), ...again]).toEqual(all);
        expect(again.map(seqOf)).toEqual(all.slice(nextSeq).map(seqOf));
      }),
    );
  });

  it('the bridge ends where it would have without, however often and wherever it is lost', () => {
    fc.assert(
      fc.property(chunks, fc.option(chunk), fc.array(fc.nat({ max: 10 }), { maxLength: 4 }), (parts, last, cuts) => {
        const outbox = createOutbox();
        outbox.open('r');
        outbox.add('r', { type: 'started' });
        for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: chunk });
        outbox.add('r', { type: 'end', ...(last && { parts: last }), ...end });

        let state = transition(queued, { type: 'dispatched', instance: 'i' });
        const taken: unknown[] = [];
        // Every connection but the last breaks after a few frames.
        for (const frames of [...cuts, Number.POSITIVE_INFINITY]) {
          const nextSeq = 'nextSeq' in state ? state.nextSeq : 0;
          outbox.resume({ requestId: 'r', nextSeq, room: maxUnreadChars });
          for (const frame of outbox.take('r').slice(0, frames)) {
            const before = state;
            state = transition(state, toEvent(frame));
            if ('parts' in frame && state !== before) taken.push(frame.parts);
          }
          state = transition(transition(state, { type: 'lost' }), { type: 'resumed' });
        }
        expect(state.status).toBe('succeeded');
        expect(taken).toEqual(last ? [...parts, last] : parts);
      }),
    );
  });

  function toEvent(frame: AnswerFrame): RequestEvent {
    switch (frame.type) {
      case 'chunk':
        return { type: 'chunk', seq: frame.seq };
      case 'end':
        return { type: 'ended', seq: frame.seq };
      case 'started':
        return { type: 'started' };
      case 'error':
        return { type: 'failed', error: frame.error };
    }
  }

  it('a failure is sent again whatever the bridge has', () => {
    fc.assert(
      fc.property(failure, fc.nat({ max: 5 }), (error, nextSeq) => {
        const outbox = createOutbox();
        outbox.open('r');
        outbox.add('r', { type: 'chunk', parts: [text('half')] });
        outbox.add('r', { type: 'error', error });
        outbox.take('r');
        outbox.resume({ requestId: 'r', nextSeq, room: maxUnreadChars });
        expect(outbox.take('r').at(-1)).toEqual({ type: 'error', requestId: 'r', error });
      }),
    );
  });

  it('every request is told of, running or finished', () => {
    const { outbox } = filled();
    outbox.open('running');
    expect(outbox.held()).toEqual(['r', 'running']);
    expect(outbox.finished().map(({ requestId }) => requestId)).toEqual(['r']);
  });
});

describe('an answer that runs ahead of its caller', () => {
  const typesOf = (frames: AnswerFrame[]) => frames.map(({ type }) => type);
  const full = text('x'.repeat(maxUnreadChars));

  it('goes out in order and once, never by more than one frame beyond the room, for any frames and any room', () => {
    const steps = fc.array(fc.oneof(fc.record({ add: fc.nat(400_000) }), fc.record({ room: fc.nat(400_000) })));
    fc.assert(
      fc.property(steps, (steps) => {
        const outbox = createOutbox();
        outbox.open('r');
        let [room, sent] = [maxUnreadChars, 0];
        const [added, taken] = [[] as number[], [] as number[]];
        const wrong: string[] = [];
        for (const step of steps) {
          if ('add' in step) added.push(step.add);
          if ('add' in step) outbox.add('r', { type: 'chunk', parts: [text('x'.repeat(step.add))] });
          else outbox.addRoom('r', step.room);
          room += 'room' in step ? step.room : 0;
          for (const frame of outbox.take('r')) {
            const chars = frame.type === 'chunk' ? charsOf(frame.parts) : 0;
            if (chars > 0 && sent >= room) wrong.push('was sent without room');
            sent += chars;
            taken.push(chars);
          }
          if (taken.length < added.length && sent < room) wrong.push('waits although there is room');
        }
        expect(wrong).toEqual([]);
        expect(taken).toEqual(added.slice(0, taken.length));
      }),
    );
  });
  const charsOf = (parts: AnswerPart[]) => parts.reduce((sum, part) => sum + partChars(part), 0);

  it('needs no room for its end where nothing waits before it', () => {
    expect(typesOf(filled([[full]]).frames)).toEqual(['started', 'chunk', 'end']);
  });

  it('keeps its end back where that holds the last of it, until there is room', () => {
    const { outbox, frames } = filled([[full]], { ...end, parts: [text('last')] });
    expect(typesOf(frames)).toEqual(['started', 'chunk']);
    outbox.addRoom('r', 1);
    expect(outbox.take('r')).toMatchObject([{ type: 'end', seq: 1, parts: [text('last')] }]);
  });

  it('lets neither end nor failure overtake what waits', () => {
    const { outbox, frames } = filled([[full], [text('a')], [text('b')]]);
    expect(typesOf(frames)).toEqual(['started', 'chunk']);
    outbox.addRoom('r', 1);
    expect(outbox.take('r').map(seqOf)).toEqual([1]);
    outbox.addRoom('r', 1);
    expect(outbox.take('r').map(seqOf)).toEqual([2, 3]);
    outbox.addRoom('r', 1);
    expect(outbox.take('r')).toEqual([]);
    outbox.open('failed');
    for (const parts of [[full], [text('a')]]) outbox.add('failed', { type: 'chunk', parts });
    outbox.add('failed', { type: 'error', error: { code: 'upstream_failed', message: 'm' } });
    expect(typesOf(outbox.take('failed'))).toEqual(['chunk']);
  });

  it('waits again after a lost connection, as long as the bridge has no room', () => {
    const { outbox } = filled([[full], [text('a')]]);
    outbox.addRoom('r', 1);
    outbox.take('r');
    outbox.resume({ requestId: 'r', nextSeq: 1, room: 0 });
    expect(outbox.take('r')).toEqual([]);
    outbox.addRoom('r', 1);
    expect(outbox.take('r').map(seqOf)).toEqual([1, 2]);
  });

  it('is delivered whole, also what waits', () => {
    const { outbox } = filled([[full], [text('a')]]);
    expect(outbox.finished()).toEqual([{ requestId: 'r', delivery: { chunks: [[full], [text('a')]], end } }]);
  });

  it('passes over what waits once nobody reads it, to its end if it has one', () => {
    const { outbox } = filled([[full], [text('a')]]);
    outbox.skip('r');
    expect(typesOf(outbox.take('r'))).toEqual(['end']);
    outbox.skip('r');
    expect(outbox.take('r')).toEqual([]);
    const filledToItsEnd = filled([[full]], { ...end, parts: [text('last')] }).outbox;
    filledToItsEnd.skip('r');
    expect(typesOf(filledToItsEnd.take('r'))).toEqual(['end']);
    outbox.open('running');
    for (const parts of [[full], [text('a')]]) outbox.add('running', { type: 'chunk', parts });
    expect(typesOf(outbox.take('running'))).toEqual(['chunk']);
    outbox.skip('running');
    outbox.add('running', { type: 'error', error: { code: 'cancelled', message: 'm' } });
    expect(typesOf(outbox.take('running'))).toEqual(['error']);
  });

  it('of a request that is not open asks for nothing', () => {
    const outbox = createOutbox();
    outbox.addRoom('r', 1);
    outbox.skip('r');
    expect([outbox.take('r'), outbox.held()]).toEqual([[], []]);
  });
});

describe('a finished answer', () => {
  it('is delivered as the parts of its chunks, each in the place of its number, and its end', () => {
    fc.assert(
      fc.property(chunks, fc.option(chunk), answerEnd, (parts, last, closing) => {
        const outbox = createOutbox();
        outbox.open('r');
        outbox.add('r', { type: 'started' });
        for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: chunk });
        outbox.add('r', { type: 'end', ...(last && { parts: last }), ...closing });
        const whole = last ? [...parts, last] : parts;
        expect(outbox.finished()).toEqual([{ requestId: 'r', delivery: { chunks: whole, end: closing } }]);
      }),
    );
  });

  it('is delivered as its failure, whatever came before', () => {
    const outbox = createOutbox();
    outbox.open('r');
    outbox.add('r', { type: 'chunk', parts: [text('half')] });
    const error = { code: 'upstream_failed', message: 'No.' } as const;
    outbox.add('r', { type: 'error', error });
    expect(outbox.finished()).toEqual([{ requestId: 'r', delivery: { error } }]);
  });
});
