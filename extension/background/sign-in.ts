import type { MessageKey } from '#shared/messages.ts';

import { askOffscreen } from '../messages.ts';
import { readRedirect, signInUrl, type SignInProblem } from '../puter/sign-in.ts';
import { readContext, saveSession, type Context } from '../storage.ts';

/** How a sign-in went; `sentence` names what to tell the person. */
export interface SignInOutcome {
  status: 'signed_in' | 'in_tab' | 'failed';
  sentence: MessageKey | null;
}

/**
 * Opens Puter's sign-in page in a window of the browser's own and waits for the person. It runs in the background
 * because the popup closes as soon as that window takes the focus.
 */
export async function signIn(): Promise<SignInOutcome> {
  // Some browsers built on Chromium have no such window.
  if (!('launchWebAuthFlow' in (chrome.identity ?? {}))) return signInInTab('sign_in_in_tab');
  const { settings } = await readContext();
  const answer = await askInWindow(settings);
  if ('token' in answer) {
    await saveSession({ token: answer.token, apiOrigin: settings.apiOrigin });
    return { status: 'signed_in', sentence: null };
  }
  if (answer.problem !== 'no_window') return { status: 'failed', sentence: answer.problem };
  // The window gives up on every page that comes with an error status, and so a check for robots does.
  return signInInTab((await isReachable(settings.guiOrigin)) ? 'sign_in_challenge' : 'sign_in_unreachable');
}

/** The other way: a tab, from which Puter returns to the bridge. */
export async function signInInTab(sentence: MessageKey = 'sign_in_in_tab'): Promise<SignInOutcome> {
  if (sentence === 'sign_in_unreachable') return { status: 'failed', sentence };
  const url = await askOffscreen('beginSignIn');
  if (url === null) return { status: 'failed', sentence: 'sign_in_no_bridge' };
  await chrome.tabs.create({ url });
  return { status: 'in_tab', sentence };
}

type WindowAnswer = { token: string } | { problem: SignInProblem | 'no_window' };

async function askInWindow({ guiOrigin }: Context['settings']): Promise<WindowAnswer> {
  const state = crypto.randomUUID();
  try {
    const url = signInUrl(guiOrigin, chrome.identity.getRedirectURL(), state);
    return readRedirect(await chrome.identity.launchWebAuthFlow({ url, interactive: true }), state);
  } catch (error) {
    const isClosed = /did not approve|cancel/i.test(error instanceof Error ? error.message : '');
    return { problem: isClosed ? 'sign_in_closed' : 'no_window' };
  }
}

const isReachable = (origin: string): Promise<boolean> =>
  fetch(origin, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(10_000) }).then(
    () => true,
    () => false,
  );
