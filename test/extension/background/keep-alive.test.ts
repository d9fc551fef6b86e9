import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { createKeepAlive } from '../../../extension/background/keep-alive.ts';

const suspendedAfterMs = 30_000;

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

function create() {
  const touch = vi.fn<() => void>();
  const { hold } = createKeepAlive(touch);
  /** How often the browser was shown that the page works, in ten of the times after which it suspends it. */
  const touches = () => {
    touch.mockClear();
    vi.advanceTimersByTime(10 * suspendedAfterMs);
    return touch.mock.calls.length;
  };
  return { touch, hold, touches };
}

it('leaves a page alone that nobody holds', () => {
  expect(create().touches()).toBe(0);
});

it('shows that the page works at once, and then sooner than it would be suspended', () => {
  const { touch, hold } = create();
  hold();
  for (let n = 1; n <= 10; n += 1) {
    expect(touch).toHaveBeenCalledOnce();
    touch.mockClear();
    vi.advanceTimersByTime(suspendedAfterMs * 0.7);
  }
});

it('goes on until the last holder lets go, and begins again with the next', () => {
  const { hold, touches } = create();
  const letGo = [hold(), hold()];
  letGo[0]?.();
  // Once more by the same holder says nothing of the other.
  letGo[0]?.();
  expect(touches()).toBeGreaterThan(10);
  letGo[1]?.();
  expect(touches()).toBe(0);
  hold();
  expect(touches()).toBeGreaterThan(10);
});
