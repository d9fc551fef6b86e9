import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { AnswerFrame } from '#shared/protocol.ts';
import { decodeFrameToBridge, FrameError, type FrameToBridge } from '#shared/protocol.ts';

import { isTerminal, transition, type RequestEvent, type RequestState } from '../../bridge/lifecycle/request-state.ts';
import { createPeer, createRig } from '../bridge/lifecycle/dispatcher-rig.ts';
import { answerPart, failure, frameToBridge, usage } from '../shared/arbitraries.ts';

/** 100,000 random frames, from an extension that holds a few calls. */

const runs = 1000;
const framesPerRun = 100;

/** As the wire wants them; the dispatcher's own are told apart by their place. */
const requestIds = Array.from({ length: 3 }, (_, n) => `0190a8f0-0000-7000-8000-00000000000${n}`);
const requestId = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...requestIds) }, fc.uuid());
const seq = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 4 }) }, fc.integer());
const parts = fc.array(answerPart, { maxLength: 2 });

/** Frames that carry an answer, most of them of a call that there is, and in an order that may be right. */
const answerFrame = fc.oneof(
  fc.record({ type: fc.constant('started'), requestId }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant('chunk'), requestId, seq, parts }) },
  fc.record({
    type: fc.constant('end'),
    requestId,
    seq,
    finishReason: fc.constantFrom('stop', 'length'),
    model: fc.constant(null),
    usage: fc.oneof(usage, fc.jsonValue({ maxDepth: 1 })),
  }),
  fc.record({ type: fc.constant('error'), requestId, error: failure }),
);
const wrongFrame = fc
  .tuple(answerFrame, fc.nat({ max: 4 }), fc.jsonValue({ maxDepth: 1 }))
  .map(([frame, at, value]) => ({ ...frame, [Object.keys(frame)[at % Object.keys(frame).length] ?? '']: value }));
const text = fc.oneof(
  { weight: 6, arbitrary: answerFrame.map((frame) => JSON.stringify(frame)) },
  { weight: 3, arbitrary: wrongFrame.map((frame) => JSON.stringify(frame)) },
  { weight: 1, arbitrary: frameToBridge.map((frame) => JSON.stringify(frame)) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

/** Null where it is no frame; whatever else decoding throws is a failure. */
function decode(text: string): FrameToBridge | null {
  try {
    return decodeFrameToBridge(text);
  } catch (error) {
    if (error instanceof FrameError) return null;
    throw error;
  }
}

const isAnswer = (frame: FrameToBridge): frame is AnswerFrame =>
  ['started', 'chunk', 'end', 'error'].includes(frame.type);

const next: Record<string, readonly string[]> = {
  dispatched: ['dispatched', 'started', 'streaming', 'succeeded', 'failed'],
  started: ['started', 'streaming', 'succeeded', 'failed'],
  streaming: ['streaming', 'succeeded', 'failed'],
};

function toEvent(frame: AnswerFrame): RequestEvent {
  switch (frame.type) {
    case 'started':
      return { type: 'started' };
    case 'chunk':
      return { type: 'chunk', seq: frame.seq };
    case 'end':
      return { type: 'ended', seq: frame.seq };
    case 'error':
      return { type: 'failed', error: frame.error };
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('G27 random frames throw nothing, and lead no call anywhere but where it may go', { timeout: 60_000 }, async () => {
  let frames = 0;
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: framesPerRun, maxLength: framesPerRun }), async (texts) => {
      const { dispatcher, submit, connect } = createRig();
      const peer = createPeer('peer', { lanes: 2 });
      connect(peer);
      const calls = requestIds.map(() => submit());
      const dispatched: RequestState = { status: 'dispatched', instance: 'peer', nextSeq: 0 };
      const states = new Map(requestIds.map((id): [string, RequestState] => [id, dispatched]));

      for (const text of texts) {
        frames += 1;
        const frame = decode(text);
        if (!frame || !isAnswer(frame)) continue;
        taken += 1;
        const id = frame.requestId;
        dispatcher.receive(peer, { ...frame, requestId: calls[requestIds.indexOf(id)]?.requestId ?? id });
        const before = states.get(id);
        if (!before) continue;
        const after = transition(before, toEvent(frame));
        states.set(id, after);
        // A state that is over is the very same for ever.
        const isLegal = isTerminal(before) ? after === before : next[before.status]?.includes(after.status);
        expect(isLegal, `${before.status} to ${after.status}`).toBe(true);
        const { queued, running } = dispatcher.counts();
        expect(running).toBeLessThanOrEqual(peer.lanes);
        expect(queued + running).toBeLessThanOrEqual(calls.length);
      }

      await vi.advanceTimersByTimeAsync(0);
      const { queued, running } = dispatcher.counts();
      expect(calls.filter((call) => !call.settled())).toHaveLength(queued + running);
    }),
    { numRuns: runs, seed: 20_261_124 },
  );
  expect(frames).toBe(runs * framesPerRun);
  // Enough of them were frames at all.
  expect(taken).toBeGreaterThan(frames / 3);
});
