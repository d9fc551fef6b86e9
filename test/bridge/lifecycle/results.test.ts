import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { toBridgeError } from '../../../bridge/http/reply.ts';
import { createResults, type Answer, type Results } from '../../../bridge/lifecycle/results.ts';

const ttlMs = 1000;
const maxChars = 10;
let time = 0;
let results: Results;

beforeEach(() => {
  time = 0;
  results = createResults({ ttlMs, maxChars, now: () => time, toError: toBridgeError });
});

const answer = (text: string): Answer => ({ text, finishReason: 'stop', model: null, usage: null, durationMs: 1 });
const finish = (id: string, text: string) => results.track(id, Promise.resolve(answer(text)));
const never = new Promise<Answer>(() => {});

describe('a result', () => {
  it('is pending until the answer is there', async () => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const tracked = results.track('r', promise);
    expect(results.get('r')).toEqual({ status: 'pending' });
    resolve(answer('hi'));
    expect(await tracked).toEqual({ status: 'success', answer: answer('hi') });
    expect(results.get('r')).toEqual({ status: 'success', answer: answer('hi') });
  });

  it('keeps the error that the call ended with', async () => {
    const error = new BridgeError('timed_out', 'Too late.');
    expect(await results.track('r', Promise.reject(error))).toEqual({ status: 'error', error });
    expect(results.get('r')).toEqual({ status: 'error', error });
  });

  it('hides what nobody expected', async () => {
    await results.track('r', Promise.reject(new TypeError('x is not a function')));
    expect(results.get('r')).toMatchObject({ status: 'error', error: { code: 'internal_error' } });
  });

  it('of an unknown id is none', () => {
    for (const id of ['', '__proto__', 'constructor']) expect(results.get(id)).toBeUndefined();
  });

  it('is there until its time is over, and not a moment longer', async () => {
    await finish('r', 'hi');
    time = ttlMs - 1;
    expect(results.get('r')?.status).toBe('success');
    time = ttlMs;
    expect(results.get('r')).toBeUndefined();
  });

  it('counts its time from when it finished', async () => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const tracked = results.track('r', promise);
    time = ttlMs * 3;
    resolve(answer('hi'));
    await tracked;
    time += ttlMs - 1;
    expect(results.get('r')?.status).toBe('success');
  });
});

describe('when there is too much to keep', () => {
  it('the oldest go first, and only as many as need be', async () => {
    for (const id of ['a', 'b', 'c']) await finish(id, '1234');
    expect(['a', 'b', 'c'].map((id) => results.get(id)?.status)).toEqual([undefined, 'success', 'success']);
  });

  it('the age is that of finishing, not of asking', async () => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const first = results.track('first', promise);
    await finish('second', '12345');
    resolve(answer('12345'));
    await first;
    await finish('third', '1');
    expect(results.get('first')?.status).toBe('success');
    expect(results.get('second')).toBeUndefined();
  });

  it('the newest stays even where it alone is too much', async () => {
    await finish('small', '1');
    await finish('large', 'x'.repeat(maxChars + 1));
    expect(results.get('large')?.status).toBe('success');
    expect(results.get('small')).toBeUndefined();
    await finish('next', '1');
    expect(results.get('large')).toBeUndefined();
    expect(results.get('next')?.status).toBe('success');
  });

  it('pending ones are never given up', async () => {
    void results.track('pending', never);
    time = ttlMs * 10;
    await finish('large', 'x'.repeat(maxChars * 2));
    await finish('larger', 'x'.repeat(maxChars * 3));
    expect(results.get('pending')).toEqual({ status: 'pending' });
  });

  it('errors cost nothing', async () => {
    await finish('a', '1234567890');
    for (const id of ['b', 'c', 'd']) await results.track(id, Promise.reject(new BridgeError('cancelled', 'C.')));
    expect(results.get('a')?.status).toBe('success');
  });

  it('what is left is the newest that fit, for any sizes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: maxChars }), { maxLength: 12 }), async (sizes) => {
        results = createResults({ ttlMs, maxChars, now: () => 0, toError: toBridgeError });
        for (const [at, size] of sizes.entries()) await finish(String(at), 'x'.repeat(size));
        let total = 0;
        const fits = sizes.toReversed().map((size) => (total += size) <= maxChars);
        const kept = sizes.map((_, at) => results.get(String(at)) !== undefined).toReversed();
        expect(kept).toEqual(fits);
      }),
    );
  });
});

it('keeps no more than 10,000 results, however small', async () => {
  for (let n = 0; n <= 10_000; n += 1) void results.track(`r${n}`, Promise.reject(new Error('x')));
  await expect.poll(() => results.get('r10000')?.status).toBe('error');
  expect([results.get('r0'), results.get('r1')?.status]).toEqual([undefined, 'error']);
});
