import type { MessageKey } from '#shared/say.ts';

import { isReachable } from '../is-reachable.ts';
import { readRedirect, signInUrl, type SignInProblem } from '../puter/sign-in.ts';
import { isMixed, type Settings } from '../settings.ts';
import type { Station } from '../station.ts';
import { readContext, saveSession } from '../storage.ts';

/** How a sign-in went, or that it is under way; `sentence` names what to tell the person. */
export interface SignInOutcome {
  status: 'waiting' | 'signed_in' | 'in_tab' | 'failed';
  sentence: MessageKey | null;
}

/** Begins a sign-in in a tab, at the station. */
export type BeginSignIn = () => Promise<ReturnType<Station['beginSignIn']>>;

export const failed = (sentence: MessageKey): SignInOutcome => ({ status: 'failed', sentence });

/**
 * Opens Puter's sign-in page in a window of the browser's own and waits for the person. It runs in the background
 * because the popup closes as soon as that window takes the focus.
 */
export async function signIn(beginSignIn: BeginSignIn): Promise<SignInOutcome> {
  const { settings } = await readContext();
  const { apiOrigin, guiOrigin } = settings;
  if (isMixed(settings)) return failed('sign_in_mixed');
  // Some browsers built on Chromium have no such window.
  if (!('launchWebAuthFlow' in (chrome.identity ?? {}))) return continueInTab('sign_in_in_tab', beginSignIn);
  const answer = await askInWindow(settings);
  if ('token' in answer) {
    await saveSession({ token: answer.token, apiOrigin, guiOrigin });
    return { status: 'signed_in', sentence: null };
  }
  if (answer.problem !== 'no_window') return failed(answer.problem);
  // The window gives up on every page that comes with an error status, and so a check for robots does.
  return (await isReachable(guiOrigin, AbortSignal.timeout(10_000)))
    ? continueInTab('sign_in_challenge', beginSignIn)
    : failed('sign_in_unreachable');
}

/** The other way from the start, for a person who chose it. */
export async function signInInTab(beginSignIn: BeginSignIn): Promise<SignInOutcome> {
  const { settings } = await readContext();
  return isMixed(settings) ? failed('sign_in_mixed') : continueInTab('sign_in_in_tab', beginSignIn);
}

/** In a tab, from which Puter returns to the bridge. */
async function continueInTab(sentence: MessageKey, beginSignIn: BeginSignIn): Promise<SignInOutcome> {
  const way = await beginSignIn();
  if ('problem' in way) return failed(way.problem);
  await chrome.tabs.create({ url: way.url });
  return { status: 'in_tab', sentence };
}

async function askInWindow({
  guiOrigin,
}: Settings): Promise<{ token: string } | { problem: SignInProblem | 'no_window' }> {
  const state = crypto.randomUUID();
  try {
    const url = signInUrl(guiOrigin, chrome.identity.getRedirectURL(), state);
    return readRedirect(await chrome.identity.launchWebAuthFlow({ url, interactive: true }), state);
  } catch (error) {
    const isClosed = /did not approve|cancel/i.test(error instanceof Error ? error.message : '');
    return { problem: isClosed ? 'sign_in_closed' : 'no_window' };
  }
}
