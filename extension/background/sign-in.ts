import { readRedirect, signInUrl } from '../puter/sign-in.ts';
import { readContext, saveSession } from '../storage.ts';

/**
 * Opens Puter's sign-in page in a window of the browser's own and waits for the person. It runs in the background
 * because the popup closes as soon as that window takes the focus. Null once signed in, else a sentence.
 */
export async function signIn(): Promise<string | null> {
  try {
    const { settings } = await readContext();
    const state = crypto.randomUUID();
    const url = signInUrl(settings.guiOrigin, chrome.identity.getRedirectURL(), state);
    const address = await chrome.identity.launchWebAuthFlow({ url, interactive: true });
    await saveSession({ token: readRedirect(address, state), apiOrigin: settings.apiOrigin });
    return null;
  } catch (error) {
    return explain(error instanceof Error ? error.message : String(error));
  }
}

/** Chrome's own words are for developers. */
function explain(message: string): string {
  if (/did not approve|cancel/i.test(message)) return 'The sign-in window was closed before you allowed it. Try again.';
  if (/could not be loaded/i.test(message)) {
    return 'Puter’s sign-in page could not be loaded. Check the network, and Puter’s address in the options.';
  }
  return message;
}
