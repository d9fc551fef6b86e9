import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AnswerFrame } from '#shared/protocol.ts';

import { queued, transition, type RequestEvent } from '../../../bridge/lifecycle/request-state.ts';
import { createOutbox } from '../../../extension/relay/outbox.ts';
import { answerEnd, answerPart, failure } from '../../shared/arbitraries.ts';

const chunks = fc.array(fc.array(answerPart, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
const end = { finishReason: 'stop', model: null, usage: null } as const;
const text = (text: string) => ({ type: 'text' as const, text });

/** An outbox with one request in it, and the frames that it gave out. */
function filled(parts: readonly (readonly ReturnType<typeof text>[])[] = [], closing = end) {
  const outbox = createOutbox();
  outbox.open('r');
  const frames = [
    outbox.add('r', { type: 'started' }),
    ...parts.map((parts) => outbox.add('r', { type: 'chunk', parts: [...parts] })),
    outbox.add('r', { type: 'end', ...closing }),
  ];
  return { outbox, frames: frames.filter((frame) => frame !== undefined) };
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
    const seqs = ['a', 'b', 'a', 'b'].map((id) => seqOf(outbox.add(id, { type: 'chunk', parts: [] })));
    expect(seqs).toEqual([0, 0, 1, 1]);
  });

  it('are not kept for a request that is not open', () => {
    const outbox = createOutbox();
    expect(outbox.add('r', { type: 'started' })).toBeUndefined();
    expect([outbox.has('r'), outbox.held(), outbox.since('r', 0)]).toEqual([false, [], []]);
  });

  it('are gone once they are forgotten', () => {
    const { outbox } = filled([[text('a')]]);
    outbox.forget('r');
    expect([outbox.has('r'), outbox.held(), outbox.since('r', 0), outbox.finished()]).toEqual([false, [], [], []]);
    expect(outbox.add('r', { type: 'chunk', parts: [] })).toBeUndefined();
  });
});

describe('after a lost connection', () => {
  it('what was received and what is sent again are the whole answer, in order, for any split', () => {
    fc.assert(
      fc.property(chunks, answerEnd, fc.nat(), (parts, closing, split) => {
        const outbox = createOutbox();
        outbox.open('r');
        const all = [
          ...parts.map((parts) => outbox.add('r', { type: 'chunk', parts })),
          outbox.add('r', { type: 'end', ...closing }),
        ];
        const nextSeq = split % (all.length + 1);
        const again = outbox.since('r', nextSeq);
        expect([...all.slice(0, nextSeq), ...again]).toEqual(all);
        expect(again.map(seqOf)).toEqual(all.slice(nextSeq).map(seqOf));
      }),
    );
  });

  it('the bridge ends where it would have without, however often and wherever it is lost', () => {
    fc.assert(
      fc.property(chunks, fc.array(fc.nat({ max: 10 }), { maxLength: 4 }), (parts, cuts) => {
        const outbox = createOutbox();
        outbox.open('r');
        outbox.add('r', { type: 'started' });
        for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: chunk });
        outbox.add('r', { type: 'end', ...end });

        let state = transition(queued, { type: 'dispatched', instance: 'i' });
        const taken: unknown[] = [];
        // Every connection but the last breaks after a few frames.
        for (const frames of [...cuts, Number.POSITIVE_INFINITY]) {
          const nextSeq = 'nextSeq' in state ? state.nextSeq : 0;
          for (const frame of outbox.since('r', nextSeq).slice(0, frames)) {
            const before = state;
            state = transition(state, toEvent(frame));
            if (frame.type === 'chunk' && state !== before) taken.push(frame.parts);
          }
          state = transition(transition(state, { type: 'lost' }), { type: 'resumed' });
        }
        expect(state.status).toBe('succeeded');
        expect(taken).toEqual(parts);
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
        expect(outbox.since('r', nextSeq).at(-1)).toEqual({ type: 'error', requestId: 'r', error });
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

describe('a finished answer', () => {
  it('is delivered as the parts of its chunks, each in the place of its number, and its end', () => {
    fc.assert(
      fc.property(chunks, answerEnd, (parts, closing) => {
        const outbox = createOutbox();
        outbox.open('r');
        outbox.add('r', { type: 'started' });
        for (const chunk of parts) outbox.add('r', { type: 'chunk', parts: chunk });
        outbox.add('r', { type: 'end', ...closing });
        expect(outbox.finished()).toEqual([{ requestId: 'r', delivery: { chunks: parts, end: closing } }]);
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
