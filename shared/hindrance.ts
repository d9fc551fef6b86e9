import type { Failure } from './errors.ts';
import type { AccountState } from './hops.ts';

/** What decides whether an extension takes requests. */
interface Standing {
  readonly paused: boolean;
  readonly account: AccountState;
}

/** Where Puter asks for a verification or blocks the application, Puter itself answers: it may have been mended by now. */
export const takesRequests = ({ paused, account: { session } }: Standing): boolean =>
  !paused && session.state !== 'signed_out' && session.state !== 'expired';

/** Why none of these extensions takes requests. */
export function findHindrance(extensions: readonly Standing[]): Failure {
  if (extensions.length === 0) {
    const message =
      'No extension is connected to the bridge. Start the browser that has the Puter Bridge extension, or load it first.';
    return { code: 'extension_not_connected', message };
  }
  const awake = extensions.filter(({ paused }) => !paused);
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
