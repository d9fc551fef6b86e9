/** The page that lasts in Chrome: it holds the socket and the lanes, and tells badge and pages how things are. */

import { askBackground, listenAsOffscreen, statePort, type BackgroundMessages } from '../messages.ts';
import type { ExtensionState } from '../state.ts';
import { startStation } from '../station.ts';
import type { Context } from '../storage.ts';
import { browserName } from './browser-name.ts';

const station = askForContext().then((context) =>
  startStation({
    context,
    browser: browserName(),
    origin: location.origin,
    laneUrl: chrome.runtime.getURL('lane.js'),
    // The token is nowhere else: a second try costs nothing.
    keepSession(session) {
      const keep = () => askBackground('keepSession', session);
      void keep().catch(keep);
    },
    keepPairing(pairing) {
      const keep = () => askBackground('keepPairing', pairing);
      void keep().catch(keep);
    },
  }),
);

// Listening begins before the first answer is there, so that no change in between is missed.
listenAsOffscreen({
  async contextChanged(context) {
    (await station).use(context);
    return null;
  },
  async stopCall(requestId) {
    (await station).stopCall(requestId);
    return null;
  },
  async retry() {
    (await station).retry();
    return null;
  },
  pair: async (code) => (await station).pair(code),
  beginSignIn: async () => (await station).beginSignIn(),
});

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== statePort || port.sender?.id !== chrome.runtime.id) return;
  const closed = new AbortController();
  let isSeen = false;
  let look: (() => void) | undefined;
  port.onDisconnect.addListener(() => closed.abort());
  // A page says at once, and again, whether it can be seen: a forgotten tab is no reason to ask Puter all day.
  port.onMessage.addListener((seen: boolean) => {
    isSeen = seen;
    look?.();
  });
  void station.then((it) => {
    // A popup may be gone before there is anything to show.
    if (closed.signal.aborted) return;
    const stopWatching = it.watch((state) => port.postMessage(state));
    let stopLooking: (() => void) | undefined;
    look = () => {
      stopLooking?.();
      stopLooking = isSeen ? it.look() : undefined;
    };
    look();
    closed.signal.addEventListener('abort', () => {
      stopWatching();
      stopLooking?.();
    });
  });
});

const dark = matchMedia('(prefers-color-scheme: dark)');
let latest: ExtensionState;
let shown = '';
(await station).watch((state) => {
  latest = state;
  paint();
});
dark.addEventListener('change', paint);

function paint(): void {
  void show({ hops: latest.hops, running: latest.running.length, isDark: dark.matches });
}

async function show(state: Parameters<BackgroundMessages['showState']>[0]): Promise<void> {
  const key = JSON.stringify(state);
  // Every message wakes the service worker, so only what changes the badge is worth one.
  if (key === shown) return;
  shown = key;
  await askBackground('showState', state).catch(() => {
    shown = '';
    setTimeout(paint, 500);
  });
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
