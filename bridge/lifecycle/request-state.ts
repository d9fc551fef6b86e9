import type { Failure } from '#shared/errors.ts';

/**
 * One request's life, as a pure function of what happened to it.
 *
 *   queued → dispatched → started → streaming → succeeded | failed | cancelled | timed_out
 *                └────────────┴─────────┴──▶ unknown: the extension vanished while it held the call
 *
 * A call costs the person money, so it goes out at most once: the only way back to `queued` is the same
 * extension instance stating that it never had it, or Puter that it turned it away.
 */
export type RequestState =
  | { status: 'queued' }
  | Held
  | { status: 'unknown'; instance: string; nextSeq: number; started: boolean }
  | { status: 'succeeded' }
  | { status: 'failed'; error: Failure }
  | { status: 'cancelled' }
  | { status: 'timed_out' };

/** An extension instance holds the request; `nextSeq` is the answer frame we expect from it. */
interface Held {
  status: 'dispatched' | 'started' | 'streaming';
  instance: string;
  nextSeq: number;
}

export type RequestEvent =
  | { type: 'dispatched'; instance: string }
  | { type: 'started' }
  | { type: 'chunk'; seq: number }
  | { type: 'ended'; seq: number }
  /** The whole answer came another way than by its frames; `seq` is how many of its frames hold parts. */
  | { type: 'delivered'; seq: number }
  | { type: 'failed'; error: Failure }
  | { type: 'cancelled' }
  | { type: 'timed_out' }
  /** The connection of the instance that holds it is gone. */
  | { type: 'lost' }
  /** The same instance is back and still holds it. */
  | { type: 'resumed' }
  /** The same instance is back and never had it. */
  | { type: 'never_started' }
  /** Puter turned the call away before any model was asked. */
  | { type: 'refused' };

export const queued: RequestState = { status: 'queued' };

export const isTerminal = (state: RequestState): boolean =>
  state.status === 'succeeded' ||
  state.status === 'failed' ||
  state.status === 'cancelled' ||
  state.status === 'timed_out';

/** The state after `event`; the very same object where the event changes nothing (late, doubled, out of place). */
export function transition(state: RequestState, event: RequestEvent): RequestState {
  if (isTerminal(state)) return state;
  switch (event.type) {
    case 'dispatched':
      return state.status === 'queued' ? { status: 'dispatched', instance: event.instance, nextSeq: 0 } : state;
    case 'started':
      return state.status === 'dispatched' ? { ...state, status: 'started' } : state;
    case 'chunk':
      // After a reconnect, a piece may come again.
      if (!isHeld(state) || event.seq < state.nextSeq) return state;
      return event.seq === state.nextSeq ? { ...state, status: 'streaming', nextSeq: event.seq + 1 } : incomplete;
    case 'ended':
      if (!isHeld(state)) return state;
      return event.seq === state.nextSeq ? { status: 'succeeded' } : incomplete;
    case 'delivered':
      if (state.status === 'queued') return state;
      return event.seq >= nextSeqOf(state) ? { status: 'succeeded' } : incomplete;
    case 'failed':
      return { status: 'failed', error: event.error };
    case 'cancelled':
      return { status: 'cancelled' };
    case 'timed_out':
      return { status: 'timed_out' };
    case 'lost':
      return isHeld(state) ? { ...state, status: 'unknown', started: state.status !== 'dispatched' } : state;
    case 'resumed':
      if (state.status !== 'unknown') return state;
      return { status: resumedStatus(state), instance: state.instance, nextSeq: state.nextSeq };
    case 'refused':
      return isHeld(state) && state.nextSeq === 0 ? queued : state;
    case 'never_started':
      return state.status === 'unknown' && !state.started ? queued : state;
  }
}

const incomplete: RequestState = {
  status: 'failed',
  error: {
    code: 'extension_failed',
    message: 'A piece of the answer was lost between extension and bridge. Send the request again.',
  },
};

function resumedStatus(state: { started: boolean; nextSeq: number }): Held['status'] {
  if (state.nextSeq > 0) return 'streaming';
  return state.started ? 'started' : 'dispatched';
}

export const isHeld = (state: RequestState): state is Held =>
  state.status === 'dispatched' || state.status === 'started' || state.status === 'streaming';

/** How many frames of its answer are here. */
export const nextSeqOf = (state: RequestState): number => ('nextSeq' in state ? state.nextSeq : 0);
