import { describeHops, type HopFacts } from '#shared/hops.ts';

import { say } from '../components/say.ts';

/** What the light tells. */
export interface BadgeState {
  hops: HopFacts;
  running: number;
  isDark: boolean;
}

const colors = { green: '#177a3c', yellow: '#8a5a00', red: '#b3261e' };

/** The light on the toolbar: a colour, a character and, on hovering, the sentence; and the icon that suits the theme. */
export function createBadge(): { show(state: BadgeState): Promise<void> } {
  let shownDark: boolean | undefined;

  /** The browser reads and draws all sizes anew, which takes longer than a short call: so only where it is another. */
  async function setIcon(isDark: boolean): Promise<void> {
    if (isDark === shownDark) return;
    await chrome.action.setIcon({ path: iconPaths(isDark) });
    shownDark = isDark;
  }

  return {
    async show({ hops, running, isDark }) {
      const { color, badge, sentence } = describeHops(hops, running, say).light;
      await Promise.all([
        chrome.action.setBadgeBackgroundColor({ color: colors[color] }),
        chrome.action.setBadgeTextColor({ color: '#ffffff' }),
        chrome.action.setBadgeText({ text: badge }),
        chrome.action.setTitle({ title: `${say('name')}: ${sentence}` }),
        setIcon(isDark),
      ]);
    },
  };
}

const iconPaths = (isDark: boolean): Record<number, string> =>
  Object.fromEntries([16, 32, 48, 128].map((size) => [size, `/icons/icon-${size}${isDark ? '-dark' : ''}.png`]));
