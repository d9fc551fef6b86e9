/**
 * Chrome's background entry. It only supervises: Chrome stops it after 30 s of silence, so everything that must
 * last, the socket and the lanes, lives in the offscreen page.
 */

import { askOffscreen, listenAsBackground } from '../messages.ts';
import {
  changeSettings,
  forgetSession,
  onContextChanged,
  readContext,
  savePairing,
  savePaused,
  saveSession,
  saveSignInOutcome,
} from '../storage.ts';
import { showState } from './badge.ts';
import { superviseOffscreen } from './offscreen-supervisor.ts';
import { signIn, signInInTab, type SignInOutcome } from './sign-in.ts';

const supervisor = superviseOffscreen();

/** For a message whose answer is only that it was done. */
const done =
  <A extends unknown[]>(act: (...argument: A) => Promise<void>) =>
  async (...argument: A): Promise<null> => {
    await act(...argument);
    return null;
  };

/** The popup that asked is closed by the time that it would be told. */
const remembered = (ask: () => Promise<SignInOutcome>) => async (): Promise<SignInOutcome> => {
  const outcome = await ask();
  if (outcome.status !== 'signed_in') await saveSignInOutcome(outcome);
  return outcome;
};

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
  wake: done(supervisor.ensure),
});

onContextChanged(
  () =>
    void readContext()
      .then((context) => askOffscreen('contextChanged', context))
      .catch(() => supervisor.ensure()),
);

chrome.runtime.onInstalled.addListener(({ reason }) => {
  if (reason === 'install') void chrome.tabs.create({ url: 'welcome.html' });
});
