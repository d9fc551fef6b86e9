import { afterEach, expect, it, vi } from 'vitest';

import { recover } from '../../../bridge/journal/recover.ts';
import type { Result } from '../../../bridge/journal/results.ts';
import { createRow } from './example-row.ts';

afterEach(() => void vi.useRealTimers());

/** Which calls are waited for again when an extension says that it holds one whose row is as given. */
function recall(result: Result): string[] {
  const restored: string[] = [];
  const row = createRow('a', { status: 'dispatched', instance: 'i', profile: 'p' });
  const never = { pipe() {}, resume() {} };
  const { recall } = recover({
    journal: { unfinished: () => [], find: () => row },
    dispatcher: { restore: (id) => (restored.push(id), never), cancel: expect.fail },
    results: { get: () => result, succeed: expect.fail, fail: expect.fail },
    deadlineMs: 1e6,
  });
  recall('a');
  return restored;
}

it('waits for a call that went out and that nobody here has open', () => {
  expect(recall({ status: 'pending', isUnknown: true })).toEqual(['a']);
});

it('leaves a chat alone that is open here still: its answer has come, and is being counted', () => {
  expect(recall({ status: 'pending', isUnknown: false })).toEqual([]);
});

it('waits no longer for a call of before than a caller may wait', () => {
  vi.useFakeTimers();
  const ended: unknown[] = [];
  recover({
    journal: {
      unfinished: () => [createRow('a', { status: 'dispatched', instance: 'i', profile: 'p' })],
      find: expect.fail,
    },
    dispatcher: {
      restore: () => ({ pipe() {}, resume() {} }),
      cancel: (id, { code }) => void ended.push([id, code]),
    },
    results: { get: expect.fail, succeed: expect.fail, fail: expect.fail },
    deadlineMs: 1000,
  });
  vi.advanceTimersByTime(999);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ended).toEqual([['a', 'timed_out']]);
});
