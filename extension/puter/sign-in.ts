/**
 * Signing in with Puter's own page. `puter.auth.signIn()` cannot work here: Puter refuses an extension's origin.
 * Its authme page instead redirects, once the person approves, to an http(s) address with `token=` appended.
 */

/** Where to send the person. `redirectUrl` comes back with the `state` in it, which nobody else knows. */
export function signInUrl(guiOrigin: string, redirectUrl: string, state: string): string {
  const redirect = new URL(redirectUrl);
  redirect.searchParams.set('state', state);
  return `${guiOrigin}/?action=authme&redirectURL=${encodeURIComponent(redirect.href)}`;
}

/** Why a sign-in did not come to a token. */
export type SignInProblem = 'sign_in_wrong_state' | 'sign_in_cancelled' | 'sign_in_closed' | 'sign_in_unreachable';

/** The token in the address that Puter redirected to, or why there is none. */
export function readRedirect(
  address: string | undefined,
  state: string,
): { token: string } | { problem: SignInProblem } {
  const answer = address === undefined ? null : URL.parse(address);
  if (answer?.searchParams.get('state') !== state) return { problem: 'sign_in_wrong_state' };
  const token = answer.searchParams.get('token');
  return token ? { token } : { problem: 'sign_in_cancelled' };
}
