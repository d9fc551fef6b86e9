import { startAlarm } from './alarm.ts';

const page = 'offscreen.html';
const alarmName = 'supervise';

/**
 * Keeps the one offscreen page there: whenever the worker starts, at install, at browser start, and by an alarm should
 * it ever be closed. No event tells of a reload of a packed build, nor that the extension was enabled again.
 *
 * One thing is beyond it. Service worker and offscreen page share a renderer, and when that crashes Chrome ends
 * the whole extension and offers the person to reload it: nothing of ours runs until then (measured on
 * Chromium 156; no alarm, no event, no page brings it back).
 */
export function superviseOffscreen(): { ensure(): Promise<void> } {
  let ensuring: Promise<void> | undefined;

  /**
   * Only one at a time: a second page would be refused, and a half-made one looks like none. Never rejects: where it
   * fails, the alarm tries again.
   */
  function ensure(): Promise<void> {
    ensuring ??= create()
      .catch(() => {})
      .finally(() => (ensuring = undefined));
    return ensuring;
  }

  chrome.runtime.onInstalled.addListener(() => void ensure());
  chrome.runtime.onStartup.addListener(() => void ensure());
  chrome.alarms.onAlarm.addListener(({ name }) => void (name === alarmName && ensure()));
  // The shortest period that Chrome allows.
  void startAlarm(alarmName, { periodInMinutes: 0.5 });
  void ensure();

  return { ensure };
}

async function create(): Promise<void> {
  const existing = await chrome.runtime.getContexts({ contextTypes: [chrome.runtime.ContextType.OFFSCREEN_DOCUMENT] });
  if (existing.length > 0) return;
  await chrome.offscreen.createDocument({
    url: page,
    reasons: [chrome.offscreen.Reason.WORKERS],
    justification: 'Keeps the connection to the local bridge and runs puter.ai.chat() in dedicated workers.',
  });
}
