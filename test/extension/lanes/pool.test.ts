import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import type { AnswerEnd, AnswerPart } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';

import type { LaneJob, LaneMessage } from '../../../extension/lanes/lane-messages.ts';
import { createLanePool, type LanePool, type LaneWorker } from '../../../extension/lanes/pool.ts';

/** A worker that does nothing until the test speaks for it. */
class FakeWorker implements LaneWorker {
  onmessage: LaneWorker['onmessage'] = null;
  onerror: LaneWorker['onerror'] = null;
  readonly jobs: LaneJob[] = [];
  isTerminated = false;

  postMessage(job: LaneJob): void {
    this.jobs.push(job);
  }
  terminate(): void {
    this.isTerminated = true;
  }
  say(data: LaneMessage): void {
    this.onmessage?.(new MessageEvent('message', { data }));
  }
  break(message: string): void {
    this.onerror?.({ message } as ErrorEvent);
  }
}

const end: AnswerEnd = { finishReason: 'stop', model: null, usage: null };
const ended: LaneMessage = { type: 'end', parts: [], end };
const chat = (content = 'hi') => ({ messages: [{ role: 'user' as const, content }] });

let lanes = 3;
let token = 'first token';
let workers: FakeWorker[] = [];
let pool: LanePool;

function startPool(): void {
  lanes = 3;
  token = 'first token';
  workers = [];
  const spawn = () => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  };
  pool = createLanePool({ lanes: () => lanes, spawn, token: () => token });
}
beforeEach(startPool);

const living = () => workers.filter(({ isTerminated }) => !isTerminated);

interface TestCall {
  worker: FakeWorker;
  parts: AnswerPart[];
  outcomes: (AnswerEnd | Failure)[];
  cancel(): void;
}

function run(content?: string): TestCall {
  const parts: AnswerPart[] = [];
  const outcomes: (AnswerEnd | Failure)[] = [];
  const jobsBefore = workers.map(({ jobs }) => jobs.length);
  const call = pool.run(chat(content), {
    onParts: (more) => parts.push(...more),
    onEnd(end, last) {
      parts.push(...last);
      outcomes.push(end);
    },
    onError: (error) => outcomes.push(error),
  });
  const worker = workers.find(({ jobs }, at) => jobs.length > (jobsBefore[at] ?? 0));
  return { worker: worker!, parts, outcomes, cancel: call.cancel };
}

describe('the pool', () => {
  it('keeps one lane warm before there is any call', () => {
    expect(living()).toHaveLength(1);
  });

  it('keeps one more lane warm than is busy', () => {
    for (const count of [1, 2, 3]) {
      run();
      expect(living()).toHaveLength(count + 1);
    }
  });

  it('uses a lane again after its call', () => {
    const first = run();
    first.worker.say(ended);
    for (let count = 0; count < 5; count += 1) run().worker.say(ended);
    expect(workers).toHaveLength(2);
  });

  it('keeps no more lanes warm after its calls than it may run', () => {
    for (const { worker } of [run(), run(), run()]) worker.say(ended);
    expect(living()).toHaveLength(lanes);
  });

  it('lets lanes go once fewer may run', () => {
    const calls = [run(), run(), run()];
    lanes = 1;
    for (const { worker } of calls) worker.say(ended);
    expect(living()).toHaveLength(1);
  });

  it('gives each call the token of that moment', () => {
    run();
    token = 'second token';
    run('later');
    expect(workers.flatMap(({ jobs }) => jobs)).toEqual([
      { chat: chat(), token: 'first token' },
      { chat: chat('later'), token: 'second token' },
    ]);
  });

  it('never runs two calls in one lane, nor keeps more than one lane beyond its number', () => {
    const step = fc.oneof(
      fc.constant('run' as const),
      fc.constantFrom('end' as const, 'error' as const, 'cancel' as const, 'break' as const, 'renew' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, pick) => {
        startPool();
        const calls: TestCall[] = [];
        for (const [index, step] of steps.entries()) {
          const at = (pick + index) % Math.max(1, calls.length);
          if (step === 'renew') pool.renew();
          else if (step === 'run') {
            if (calls.length < lanes) calls.push(run());
          } else {
            const [call] = calls.splice(at, 1);
            if (step === 'cancel') call?.cancel();
            else if (step === 'break') call?.worker.break('boom');
            else if (step === 'end') call?.worker.say(ended);
            else call?.worker.say({ type: 'error', error: { code: 'upstream_failed', message: 'No.' } });
          }
          expect(new Set(calls.map(({ worker }) => worker)).size).toBe(calls.length);
          expect(calls.every(({ worker }) => !worker.isTerminated)).toBe(true);
          expect(living().length).toBeLessThanOrEqual(lanes + 1);
          expect(living().length).toBeGreaterThan(calls.length);
        }
      }),
    );
  });
});

describe('a call', () => {
  it('hands on its parts and then its end, once', () => {
    const call = run();
    call.worker.say({ type: 'parts', parts: [{ type: 'text', text: 'a' }] });
    call.worker.say({ type: 'end', parts: [{ type: 'text', text: 'b' }], end });
    expect(call.parts).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
    expect(call.outcomes).toEqual([end]);
  });

  it('hands on its failure, and its lane is used again', () => {
    const error: Failure = { code: 'upstream_failed', message: 'No.' };
    const call = run();
    call.worker.say({ type: 'error', error });
    expect(call.outcomes).toEqual([error]);
    expect(call.worker.isTerminated).toBe(false);
  });

  it('whose lane breaks fails as the extension’s fault, and another lane takes its place', () => {
    const call = run();
    call.worker.break('out of memory');
    expect(call.outcomes).toEqual([
      { code: 'extension_failed', message: 'The extension failed while it called Puter: out of memory' },
    ]);
    expect(call.worker.isTerminated).toBe(true);
    expect(run().worker).not.toBe(call.worker);
  });

  it('of another lane goes on when one breaks', () => {
    const [broken, whole] = [run(), run()];
    broken.worker.break('boom');
    whole.worker.say(ended);
    expect(whole.outcomes).toEqual([end]);
  });
});

describe('a cancel', () => {
  it('ends the worker and tells nobody', () => {
    const call = run();
    call.cancel();
    expect(call.worker.isTerminated).toBe(true);
    expect(call.outcomes).toEqual([]);
  });

  it('leaves a warm lane for the next call', () => {
    const calls = [run(), run(), run()];
    calls[1]?.cancel();
    const warm = living().filter(({ jobs }) => jobs.length === 0);
    expect(warm).toHaveLength(1);
    expect(run().worker).toBe(warm[0]);
  });

  it('twice is a cancel once', () => {
    const call = run();
    call.cancel();
    const warm = living();
    call.cancel();
    expect(living()).toEqual(warm);
    expect(run().worker).toBe(warm[0]);
  });

  it('after the end leaves the next call of the same lane alone', () => {
    const first = run();
    first.worker.say(ended);
    const second = run();
    expect(second.worker).toBe(first.worker);
    first.cancel();
    expect(second.worker.isTerminated).toBe(false);
  });
});

describe('an idle lane', () => {
  it('that breaks is not used, and nobody is told', () => {
    const [warm] = living();
    warm?.break('boom');
    expect(warm?.isTerminated).toBe(true);
    expect(run().worker).not.toBe(warm);
    expect(living()).toHaveLength(2);
  });

  it('is not used after a renewal, which leaves a fresh one warm', () => {
    const [old] = living();
    pool.renew();
    expect(old?.isTerminated).toBe(true);
    expect(living()).toHaveLength(1);
    expect(run().worker).not.toBe(old);
  });
});

describe('a renewal', () => {
  it('lets running calls end, and their lanes with them', () => {
    const call = run();
    pool.renew();
    expect(call.worker.isTerminated).toBe(false);
    call.worker.say(ended);
    expect(call.outcomes).toEqual([end]);
    expect(call.worker.isTerminated).toBe(true);
    expect(run().worker).not.toBe(call.worker);
  });
});
