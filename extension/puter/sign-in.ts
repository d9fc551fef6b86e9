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

/** The token in the address that Puter redirected to. Throws a sentence where it is not the answer to our question. */
export function readRedirect(address: string | undefined, state: string): string {
  const answer = address === undefined ? null : URL.parse(address);
  if (answer?.searchParams.get('state') !== state) {
    throw new Error('The answer did not belong to this sign-in. Try again.');
  }
  const token = answer.searchParams.get('token');
  if (!token) throw new Error('Puter sent no token. Try again, and choose to allow it.');
  return token;
}
