import { describeHops, type HopFacts } from '#shared/hops.ts';

import { say } from '../components/say.ts';

const colors = { green: '#177a3c', yellow: '#8a5a00', red: '#b3261e' };

/** The light on the toolbar: a colour, a character and, on hovering, the sentence; and the icon that suits the theme. */
export async function showState(state: { hops: HopFacts; running: number; isDark: boolean }): Promise<void> {
  const { color, badge, sentence } = describeHops(state.hops, state.running, say).light;
  await Promise.all([
    chrome.action.setBadgeBackgroundColor({ color: colors[color] }),
    chrome.action.setBadgeTextColor({ color: '#ffffff' }),
    chrome.action.setBadgeText({ text: badge }),
    chrome.action.setTitle({ title: `${say('name')}: ${sentence}` }),
    chrome.action.setIcon({ path: iconPaths(state.isDark) }),
  ]);
}

const iconPaths = (isDark: boolean): Record<number, string> =>
  Object.fromEntries([16, 32, 48, 128].map((size) => [size, `/icons/icon-${size}${isDark ? '-dark' : ''}.png`]));
