import type { Failure } from '#shared/errors.ts';
import type { AccountState } from '#shared/hops.ts';
import type { FrameToExtension } from '#shared/protocol.ts';

/** A connected extension, as the dispatcher sees it. */
export interface Peer {
  readonly instance: string;
  readonly profile: string;
  /** How many calls it runs at once. */
  readonly lanes: number;
  /** The person wants no requests now. What runs goes on. */
  readonly paused: boolean;
  readonly account: AccountState;
  send(frame: FrameToExtension): void;
}

/** Where Puter asks for a verification or blocks the application, Puter itself answers: it may have been mended by now. */
export const takesRequests = ({ paused, account: { session } }: Peer): boolean =>
  !paused && session.state !== 'signed_out' && session.state !== 'expired';

/** Why none of `peers` takes requests. */
export function findHindrance(peers: readonly Peer[]): Failure {
  const awake = peers.filter(({ paused }) => !paused);
  if (awake.length === 0) {
    const message = 'The person paused Puter Bridge in the browser. To go on, press “Resume” in its popup.';
    return { code: 'paused', message };
  }
  if (awake.some(({ account }) => account.session.state === 'expired')) {
    const message = 'Puter ended the session. Click the Puter Bridge icon in the browser and sign in again.';
    return { code: 'puter_session_expired', message };
  }
  const message =
    'The extension is not signed in to Puter. Click the Puter Bridge icon in the browser and choose “Sign in to Puter”.';
  return { code: 'puter_not_signed_in', message };
}
