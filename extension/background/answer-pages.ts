import { listenAsBackground } from '../messages.ts';
import {
  changeSettings,
  forgetSession,
  readContext,
  savePairing,
  savePaused,
  saveSession,
  saveSignInOutcome,
} from '../storage.ts';
import type { BadgeState } from './badge.ts';
import { failed, signIn, signInInTab, type BeginSignIn, type SignInOutcome } from './sign-in.ts';

/** For a message whose answer is only that it was done. */
const done =
  <A extends unknown[]>(act: (...argument: A) => Promise<void>) =>
  async (...argument: A): Promise<null> => {
    await act(...argument);
    return null;
  };

/** The background's part of every browser: it answers our other pages, and welcomes a new installation. */
export function answerPages(options: {
  beginSignIn: BeginSignIn;
  showState: (state: BadgeState) => Promise<void>;
  wake: () => Promise<void>;
  /** Keeps this page from being suspended until the function that it returns is called. */
  hold: () => () => void;
  /** Calls `reload` as soon as the station would lose nothing. Rejects where there is none that could tell. */
  reloadOnceIdle: (reload: () => Promise<void>) => Promise<unknown>;
}): void {
  const { beginSignIn, showState, wake, hold, reloadOnceIdle } = options;

  let signIns = 0;
  let latest = {};
  let mustReload = false;

  /** The popup that asked is closed by the time that it would be told. */
  const remembered = (ask: (begin: BeginSignIn) => Promise<SignInOutcome>) => async (): Promise<SignInOutcome> => {
    const letGo = hold();
    const own = (latest = {});
    signIns += 1;
    try {
      // In the place of how it went before, which would be told meanwhile.
      await saveSignInOutcome({ status: 'waiting', sentence: 'sign_in_waiting' });
      const outcome = await ask(beginSignIn).catch(() => failed('no_answer'));
      if (outcome.status !== 'signed_in' && own === latest) await saveSignInOutcome(outcome);
      return outcome;
    } finally {
      signIns -= 1;
      letGo();
      if (mustReload) bringUpdateIn();
    }
  };

  /** Not while somebody signs in: the window would go with our pages. */
  async function reload(): Promise<void> {
    mustReload = signIns > 0;
    if (mustReload) throw new Error('Somebody signs in.');
    chrome.runtime.reload();
  }

  function bringUpdateIn(): void {
    void reloadOnceIdle(reload)
      .catch(reload)
      .catch(() => {});
  }

  listenAsBackground({
    context: readContext,
    signIn: remembered(signIn),
    signInInTab: remembered(signInInTab),
    keepSession: done(saveSession),
    keepPairing: done(savePairing),
    signOut: done(forgetSession),
    pause: done(savePaused),
    changeSettings: done(changeSettings),
    showState: done(showState),
    wake: done(wake),
    reload: done(reload),
  });

  // Where nobody listens, Firefox ends all our pages for an update at once, whatever they hold, and Chrome waits until
  // none is open, while the offscreen page always is.
  // https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/runtime/onUpdateAvailable
  chrome.runtime.onUpdateAvailable.addListener(bringUpdateIn);

  chrome.runtime.onInstalled.addListener(({ reason }) => {
    if (reason === 'install') void chrome.tabs.create({ url: 'welcome.html' });
  });
}
