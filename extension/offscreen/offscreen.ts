/** The page that lasts in Chrome: it holds the socket and the lanes, and tells badge and popup how things are. */

import { askBackground, listenAsOffscreen, statePort } from '../messages.ts';
import { toLight, type Light } from '../state.ts';
import { startStation } from '../station.ts';
import type { Context } from '../storage.ts';
import { browserName } from './browser-name.ts';

const station = askForContext().then((context) =>
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
  const closed = new AbortController();
  port.onDisconnect.addListener(() => closed.abort());
  void station.then(({ watch }) => {
    // A popup may be gone before there is anything to show.
    if (closed.signal.aborted) return;
    closed.signal.addEventListener(
      'abort',
      watch((state) => port.postMessage(state)),
    );
  });
});

let shown = '';
(await station).watch((state) => void showLight(toLight(state)));

async function showLight(light: Light): Promise<void> {
  const key = JSON.stringify(light);
  // Every message wakes the service worker, so only what changes the badge is worth one.
  if (key === shown) return;
  shown = key;
  await askBackground('showLight', light).catch(() => (shown = ''));
}

/** This page cannot work without it, and nobody would start it anew: so it asks until it is told. */
async function askForContext(): Promise<Context> {
  for (;;) {
    try {
      return await askBackground('context');
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
