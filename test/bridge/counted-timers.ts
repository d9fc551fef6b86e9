import { createTimers, type StartTimer } from '../../bridge/timers.ts';

/** Timers, and how many of them run: Node's own, which they share, tell nothing of that. */
export function countTimers(): { startTimer: StartTimer; left: () => number } {
  const startTimer = createTimers();
  const running = new Set<object>();
  return {
    startTimer(ms, callback) {
      const end = () => running.delete(timer);
      const timer = startTimer(ms, () => {
        end();
        callback();
      });
      running.add(timer);
      return {
        stop() {
          end();
          timer.stop();
        },
      };
    },
    left: () => running.size,
  };
}
