import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  isHeld,
  isTerminal,
  queued,
  transition,
  type RequestEvent,
  type RequestState,
} from '../../../bridge/lifecycle/request-state.ts';
import { alphabet, error } from './request-events.ts';

const endings: ReadonlySet<string> = new Set(['delivered', 'failed', 'cancelled', 'timed_out']);
const seq = fc.nat({ max: 4 });
const event: fc.Arbitrary<RequestEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...alphabet.filter(({ type }) => !endings.has(type))) },
  { weight: 4, arbitrary: seq.map((seq) => ({ type: 'chunk' as const, seq })) },
  { weight: 1, arbitrary: seq.map((seq) => ({ type: 'ended' as const, seq })) },
  { weight: 1, arbitrary: fc.constantFrom(...alphabet) },
);

const nextSeqOf = (state: RequestState): number | undefined => ('nextSeq' in state ? state.nextSeq : undefined);

const instanceOf = (state: RequestState): string | undefined => ('instance' in state ? state.instance : undefined);

/** What is wrong about a single step, whatever went before it. */
function problemOf(before: RequestState, event: RequestEvent, after: RequestState): string | undefined {
  if (after === before) return undefined;
  if (isTerminal(before)) return 'something changed after the end';
  if (JSON.stringify(after) === JSON.stringify(before)) return 'nothing changed, and yet it is another object';
  if (event.type === 'dispatched' && before.status !== 'queued') return 'went out from outside the queue';
  if (after.status === 'queued') {
    const isProven = before.status === 'unknown' && !before.started && before.nextSeq === 0;
    const isTurnedAway = event.type === 'refused' && isHeld(before) && before.nextSeq === 0;
    if (!isTurnedAway && (event.type !== 'never_started' || !isProven)) return 'returned to the queue without proof';
  }
  const [seqBefore, seqAfter] = [nextSeqOf(before), nextSeqOf(after)];
  if (seqBefore !== undefined && seqAfter !== undefined) {
    if (seqAfter !== seqBefore && seqAfter !== seqBefore + 1) return 'the numbers of the answer jumped';
    if (instanceOf(after) !== instanceOf(before)) return 'changed hands';
  }
  if (before.status === 'unknown' && isHeld(after) && event.type !== 'resumed') return 'was found without coming back';
  return undefined;
}

function walk(events: readonly RequestEvent[]): RequestState[] {
  const states: RequestState[] = [queued];
  for (const event of events) {
    const before = states.at(-1)!;
    const after = transition(before, event);
    expect(problemOf(before, event, after)).toBeUndefined();
    states.push(after);
  }
  return states;
}

/** How often the call went out beyond what it may: once, and once more for each proof that it never began. */
function tooManyDispatches(states: readonly RequestState[]): number {
  const dispatches = states.filter(
    ({ status }, at) => at > 0 && status === 'dispatched' && states[at - 1]?.status === 'queued',
  );
  // Each way back has its own proof, which `problemOf` asks for.
  const returns = states.filter(
    ({ status }, at) => at > 0 && status === 'queued' && states[at - 1]?.status !== 'queued',
  );
  return Math.max(0, dispatches.length - 1 - returns.length);
}

describe('a request, whatever happens to it', () => {
  it('ends once, goes out once, and never changes after its end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const states = walk(events);
        expect(tooManyDispatches(states)).toBe(0);
        expect(new Set(states.filter(isTerminal)).size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('always can be ended by a failure, a cancel or a deadline', () => {
    const ends = fc.constantFrom<RequestEvent>({ type: 'failed', error }, { type: 'cancelled' }, { type: 'timed_out' });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), ends, (events, end) => {
        expect(isTerminal(walk([...events, end]).at(-1)!)).toBe(true);
      }),
    );
  });
});

describe('an answer', () => {
  const through = (...events: RequestEvent[]): RequestState => walk(events).at(-1)!;
  const out: RequestEvent = { type: 'dispatched', instance: 'a' };
  const lost: RequestEvent = { type: 'lost' };
  const chunk = (seq: number): RequestEvent => ({ type: 'chunk', seq });

  it('is taken in the order of its numbers', () => {
    expect(through(out, { type: 'started' }, chunk(0), chunk(1))).toMatchObject({ status: 'streaming', nextSeq: 2 });
    expect(through(out, chunk(0), { type: 'ended', seq: 1 }).status).toBe('succeeded');
  });

  it('ignores a piece that was there already', () => {
    expect(through(out, chunk(0), chunk(0), chunk(1), chunk(0))).toMatchObject({ status: 'streaming', nextSeq: 2 });
  });

  it.each<RequestEvent>([chunk(1), { type: 'ended', seq: 1 }])('fails where a piece is missing (%o)', (event) => {
    expect(through(out, event)).toMatchObject({ status: 'failed', error: { code: 'extension_failed' } });
  });

  it('is not taken before the call went out, nor while its extension is lost', () => {
    expect(through(chunk(0))).toBe(queued);
    expect(through({ type: 'delivered', seq: 0 })).toBe(queued);
    expect(through(out, lost, chunk(0))).toMatchObject({ status: 'unknown', nextSeq: 0 });
  });

  it('may come whole while its extension is lost', () => {
    for (const seq of [1, 2]) expect(through(out, chunk(0), lost, { type: 'delivered', seq }).status).toBe('succeeded');
    expect(through(out, chunk(0), lost, { type: 'delivered', seq: 0 }).status).toBe('failed');
  });

  it.each<[RequestEvent[], string]>([
    [[], 'dispatched'],
    [[{ type: 'started' }], 'started'],
    [[{ type: 'started' }, chunk(0)], 'streaming'],
  ])('after a lost connection goes on where it was (%o)', (before, status) => {
    expect(through(out, ...before, lost, { type: 'resumed' })).toEqual(through(out, ...before));
    expect(through(out, ...before, lost, { type: 'resumed' }).status).toBe(status);
  });

  it('that was lost twice goes on from the same place', () => {
    const twice = through(out, chunk(0), chunk(1), lost, { type: 'resumed' }, lost, { type: 'resumed' });
    expect(twice).toEqual({ status: 'streaming', instance: 'a', nextSeq: 2 });
  });

  it('that never began returns to the queue, one that began does not', () => {
    expect(through(out, lost, { type: 'never_started' })).toBe(queued);
    expect(through(out, { type: 'started' }, lost, { type: 'never_started' }).status).toBe('unknown');
    expect(through(out, { type: 'never_started' }).status).toBe('dispatched');
  });
});

it('fails an answer whose end comes before its own pieces', () => {
  const streaming: RequestState = { status: 'streaming', instance: 'a', nextSeq: 3 };
  expect(transition(streaming, { type: 'ended', seq: 1 })).toMatchObject({
    status: 'failed',
    error: { code: 'extension_failed' },
  });
});
