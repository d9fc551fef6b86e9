import type { BadgeState } from './background/badge.ts';
import { listenAsStation, statePort } from './messages.ts';
import { reloadOnceIdle } from './reload-once-idle.ts';
import type { ExtensionState } from './state.ts';
import { startStation, type Station } from './station.ts';
import type { Context, NewPairing, Session } from './storage.ts';

/** What the station needs of the background, and cannot do itself everywhere. */
export interface Surroundings {
  /** As a person names it, for example `Chrome 156`. */
  browser: string;
  context(): Promise<Context>;
  keepSession(session: Session): Promise<unknown>;
  keepPairing(pairing: NewPairing): Promise<unknown>;
  showState(state: BadgeState): Promise<unknown>;
  reload(): Promise<unknown>;
}

/** Starts the station in this page, and serves it to all others: it tells badge and pages how things are. */
export async function serveStation({
  browser,
  context,
  keepSession,
  keepPairing,
  showState,
  reload,
}: Surroundings): Promise<Station> {
  const starting = context().then((first) =>
    startStation({
      context: first,
      browser,
      origin: location.origin,
      laneUrl: chrome.runtime.getURL('lane.js'),
      keepSession: twice(keepSession),
      keepPairing: twice(keepPairing),
    }),
  );
  // Listening begins before the first answer is there, so that no change in between is missed.
  listenAsStation({
    async contextChanged(next) {
      (await starting).use(next);
      return null;
    },
    async stopCall(requestId) {
      (await starting).stopCall(requestId);
      return null;
    },
    async retry() {
      (await starting).retry();
      return null;
    },
    pair: async (code) => (await starting).pair(code),
    beginSignIn: async () => (await starting).beginSignIn(),
    async reloadOnceIdle() {
      reloadOnceIdle(await starting, reload);
      return null;
    },
  });
  chrome.runtime.onConnect.addListener((port) => {
    if (port.name !== statePort || port.sender?.id !== chrome.runtime.id) return;
    tellPage(port, starting);
  });
  const station = await starting;
  keepPainted(station, showState);
  return station;
}

/** What is nowhere else is worth a second try, which costs nothing. */
const twice =
  <T>(keep: (value: T) => Promise<unknown>) =>
  (value: T): void => {
    void keep(value).catch(() => keep(value));
  };

/** Sends the page every new state, until it is closed. */
function tellPage(port: chrome.runtime.Port, station: Promise<Station>): void {
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
}

/** How late a picture may be: many short calls would else cost more to show than to run. */
const paintMs = 100;

/** Keeps the light on the toolbar right. */
function keepPainted(station: Station, showState: Surroundings['showState']): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let latest: ExtensionState;
  let shown = '';
  let waiting: ReturnType<typeof setTimeout> | undefined;
  station.watch((state) => {
    latest = state;
    paintIn(paintMs);
  });
  dark.addEventListener('change', () => paintIn(paintMs));

  function paintIn(ms: number): void {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      paint();
    }, ms);
  }

  function paint(): void {
    const state: BadgeState = { hops: latest.hops, running: latest.running.length, isDark: dark.matches };
    const key = JSON.stringify(state);
    // In Chrome it wakes the service worker, so only what changes the badge is worth it.
    if (key === shown) return;
    shown = key;
    void showState(state).catch(() => {
      shown = '';
      paintIn(500);
    });
  }
}
