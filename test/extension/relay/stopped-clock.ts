import { onTestFinished, vi } from 'vitest';

/** The clock stands still until the test moves it: nobody dials again by itself. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  // One wait in a thousand would be none at all, which is over although the clock stands still.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => void vi.useRealTimers());
  onTestFinished(() => void vi.restoreAllMocks());
}
