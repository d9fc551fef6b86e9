import { BridgeError } from '#shared/errors.ts';

/** How a bridge stops: nothing new begins, what runs may finish for a while. */
export interface Drain {
  /** Aborts as it begins. */
  readonly begun: AbortSignal;
  /** Why nothing new may begin; null until then. */
  closing(): BridgeError | null;
  /** Resolves once nothing runs any more, or after `ms`. */
  begin(ms: number): Promise<void>;
  /** Something came to its end. */
  changed(): void;
}

export function createDrain(options: { isIdle: () => boolean }): Drain {
  const { isIdle } = options;
  const begun = new AbortController();
  const idle = Promise.withResolvers<void>();
  const changed = () => {
    if (begun.signal.aborted && isIdle()) idle.resolve();
  };

  return {
    begun: begun.signal,
    closing: () => (begun.signal.aborted ? shuttingDown() : null),
    async begin(ms) {
      begun.abort();
      const timer = setTimeout(idle.resolve, ms);
      changed();
      await idle.promise;
      clearTimeout(timer);
    },
    changed,
  };
}

/** Of what has not begun. */
export const shuttingDown = () =>
  new BridgeError('shutting_down', 'The bridge is shutting down. Start it again and send the request anew.');

/** Of what has. */
export const shutDown = () =>
  new BridgeError(
    'bridge_shutdown',
    'The bridge stopped while the call ran, so it may have been billed. Send it again if you still need the answer.',
  );
