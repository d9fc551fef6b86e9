/** The small window behind the icon: how things are now, and the one thing to do about it. */

import { askBackground, statePort } from '../messages.ts';
import { toLight, type ExtensionState } from '../state.ts';
import { element } from '../style/element.ts';

const light = element('light', HTMLElement);
const sentence = element('sentence', HTMLElement);
const bridge = element('bridge', HTMLElement);
const account = element('account', HTMLElement);
const running = element('running', HTMLElement);
const problem = element('problem', HTMLElement);
const signIn = element('sign-in', HTMLButtonElement);
const signOut = element('sign-out', HTMLButtonElement);

const bridgeWords = { connected: 'Connected', connecting: 'Connecting', disconnected: 'Not connected' };

function show(state: ExtensionState): void {
  const { color, sentence: words } = toLight(state);
  light.dataset['color'] = color;
  sentence.textContent = words;
  bridge.textContent = bridgeWords[state.bridge.status];
  const isSignedIn = state.puter.session === 'signed_in';
  account.textContent = isSignedIn ? (state.puter.username ?? 'Signed in') : 'Not signed in';
  running.textContent = String(state.running);
  signIn.hidden = isSignedIn;
  signOut.hidden = state.puter.session === 'signed_out';
}

/** Follows the background page; should it be gone, it is woken and followed again. */
function follow(): void {
  const port = chrome.runtime.connect({ name: statePort });
  port.onMessage.addListener(show);
  port.onDisconnect.addListener(() => {
    // Reading it tells Chrome that we know why.
    void chrome.runtime.lastError;
    // Not at once: where it cannot be woken, this would ask without a pause.
    void askBackground('wake').then(() => setTimeout(follow, 200));
  });
}

async function askToSignIn(): Promise<void> {
  signIn.disabled = true;
  problem.hidden = true;
  const trouble = await askBackground('signIn').catch(() => 'The extension did not answer. Try again.');
  problem.textContent = trouble ?? '';
  problem.hidden = trouble === null;
  signIn.disabled = false;
}

signIn.addEventListener('click', () => void askToSignIn());
signOut.addEventListener('click', () => void askBackground('signOut'));

follow();
const { settings } = await askBackground('context');
element('page', HTMLAnchorElement).href = `http://127.0.0.1:${settings.bridgePort}/`;
