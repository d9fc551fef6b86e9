/** The page that lasts in Chrome: it holds the socket and the lanes, and tells badge and popup how things are. */

import { askBackground, listenAsOffscreen, statePort } from '../messages.ts';
import { toLight } from '../state.ts';
import { startStation } from '../station.ts';
import { browserName } from './browser-name.ts';

const station = askBackground('context').then((context) =>
  startStation({ context, browser: browserName(), laneUrl: chrome.runtime.getURL('lane.js') }),
);

// Listening begins before the first answer is there, so that no change in between is missed.
listenAsOffscreen({
  async contextChanged(context) {
    (await station).use(context);
    return null;
  },
});

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== statePort || port.sender?.id !== chrome.runtime.id) return;
  void station.then(({ watch }) => port.onDisconnect.addListener(watch((state) => port.postMessage(state))));
});

let shown = '';
(await station).watch((state) => {
  const light = toLight(state);
  const key = JSON.stringify(light);
  // Every message wakes the service worker, so only what changes the badge is worth one.
  if (key === shown) return;
  shown = key;
  void askBackground('showLight', light);
});
