/**
 * Firefox's background entry: a page that holds the station itself. Firefox suspends it after 30 s, open socket or
 * not, unless it is kept awake: while there is a bridge to talk to, while it holds calls or their answers, and while
 * somebody looks or signs in. Otherwise it sleeps, and dials for a while whenever the alarm or a page of ours wakes it.
 */

import { reloadOnceIdle } from '../reload-once-idle.ts';
import { serveStation } from '../serve-station.ts';
import { onContextChanged, readContext, savePairing, saveSession } from '../storage.ts';
import { answerPages } from './answer-pages.ts';
import { startAlarm } from './alarm.ts';
import { createBadge } from './badge.ts';
import { createKeepAlive } from './keep-alive.ts';
import { mustStayAwake } from './stay-awake.ts';

const badge = createBadge();
const keepAlive = createKeepAlive(() => void chrome.runtime.getPlatformInfo());

// Whatever these two bring, this page has started by then: that is all they are for.
chrome.runtime.onStartup.addListener(() => {});
chrome.alarms.onAlarm.addListener(() => {});
void startAlarm('revive', { periodInMinutes: 1 });

chrome.runtime.onConnect.addListener((port) => {
  if (port.sender?.id !== chrome.runtime.id) return;
  port.onDisconnect.addListener(keepAlive.hold());
});

const station = serveStation({
  browser: `Firefox ${/Firefox\/(\d+)/.exec(navigator.userAgent)?.[1] ?? ''}`.trim(),
  context: readContext,
  keepSession: saveSession,
  keepPairing: savePairing,
  showState: badge.show,
  reload: async () => chrome.runtime.reload(),
});

answerPages({
  showState: badge.show,
  beginSignIn: async () => (await station).beginSignIn(),
  async wake() {
    await station;
  },
  hold: keepAlive.hold,
  reloadOnceIdle: async (reload) => reloadOnceIdle(await station, reload),
});
onContextChanged(() => void Promise.all([station, readContext()]).then(([it, context]) => it.use(context)));

let letSleep: (() => void) | undefined;
(await station).watch((state) => {
  if (mustStayAwake(state, Date.now())) return void (letSleep ??= keepAlive.hold());
  letSleep?.();
  letSleep = undefined;
});
