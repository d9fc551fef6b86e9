import type { HopState } from '#shared/hops.ts';
import { closeCodes, readRetryAfter } from '#shared/protocol.ts';

/** How far the socket is, and what the sentence about it names. */
export interface LinkState {
  state: Exclude<HopState<'bridge'>, 'no_extension' | 'paused'>;
  detail: string;
}

/** `retryMs` is how long to wait then; null waits for the person. */
export type Ended = LinkState & { wasOpen: boolean; retryMs: number | null | 'next_turn' };

/** Why a code did not pair. */
export type PairingProblem = 'wrong_code' | 'code_expired' | 'too_many_tries' | 'other_bridge' | 'no_answer';

/** `isGone` where nothing but an end of the bridge explains a close that says nothing. */
export function whyClosed({ code, reason }: CloseEvent, isGone: boolean, host: string): Omit<Ended, 'wasOpen'> {
  const end = (state: LinkState['state'], detail = host) => ({ state, detail, retryMs: 'next_turn' as const });
  switch (code) {
    case closeCodes.wrongVersion:
      return end('wrong_version', reason);
    case closeCodes.replaced:
      // Whoever took the connection over would do so again, and both for ever: this waits until the person wants it back.
      return { ...end('replaced'), retryMs: null };
    case closeCodes.tooOften:
      return { ...end('replaced'), retryMs: readRetryAfter(reason) };
    case closeCodes.notPaired:
    case closeCodes.unpaired:
    case closeCodes.noCode:
    case closeCodes.codeVoid:
      return end('must_pair');
    case closeCodes.unexpected:
      return end('connecting');
    default:
      // Before the welcome: it stopped just now, or it refuses the handshake. The next probe tells for certain.
      return end(isGone || code === closeCodes.goingAway ? 'no_bridge' : 'not_our_bridge');
  }
}

/** What the bridge says by closing about a code that was tried. */
export function problemOf(code: number): PairingProblem {
  switch (code) {
    case closeCodes.notPaired:
      return 'wrong_code';
    case closeCodes.noCode:
      return 'code_expired';
    case closeCodes.codeVoid:
      return 'too_many_tries';
    default:
      return 'no_answer';
  }
}
