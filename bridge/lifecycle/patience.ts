import type { Failure } from '#shared/errors.ts';

import type { Entry } from './entry.ts';

/** How long a call may stay as it is, in milliseconds. */
export interface Patience {
  /** Whose extension vanished, until it is back. */
  lostGraceMs: number;
  /** Sent to an extension, until that says that a lane has taken it. */
  ackMs: number;
  /** Started, until the first piece of its answer. */
  firstTokenMs: number;
}

/**
 * How long a call may be in its state, and what it fails with after that; undefined where only its deadline counts. None of
 * these goes out again: that an extension said nothing is no evidence that it did nothing. A call that is asked for whole
 * has its first piece with its last, so that no first piece is waited for.
 */
export function limitOf(
  { state, isStreamed }: Pick<Entry, 'state' | 'isStreamed'>,
  { lostGraceMs, ackMs, firstTokenMs }: Patience,
): { ms: number; failure: () => Failure } | undefined {
  switch (state.status) {
    case 'unknown':
      return { ms: lostGraceMs, failure: () => disconnected };
    case 'dispatched':
      return { ms: ackMs, failure: () => notAcknowledged };
    case 'started':
      return isStreamed ? { ms: firstTokenMs, failure: () => firstTokenTimeout(firstTokenMs) } : undefined;
    case 'queued':
    case 'streaming':
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'timed_out':
      return undefined;
  }
}

export const disconnected: Failure = {
  code: 'extension_disconnected',
  message:
    'The extension went away while it ran this call, so its outcome is unknown and it may have been billed. Send it again if you still need the answer.',
};

const notAcknowledged: Failure = {
  code: 'not_acknowledged',
  message:
    'The extension never said that it took this call, which was cancelled; whether it began is unknown. Reload the extension if this happens again.',
};

const firstTokenTimeout = (ms: number): Failure => ({
  code: 'first_token_timeout',
  message: `The model began no answer within ${ms / 1000} s, so the call was cancelled. Raise --first-token for models that think for longer.`,
});
