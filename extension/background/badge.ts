import type { Light } from '../state.ts';

const colors = { green: '#177a3c', yellow: '#8a5a00', red: '#b3261e' };

/** The light on the toolbar: a colour, a character and, on hovering, the sentence. */
export async function showLight({ color, badge, sentence }: Light): Promise<void> {
  await Promise.all([
    chrome.action.setBadgeBackgroundColor({ color: colors[color] }),
    chrome.action.setBadgeTextColor({ color: '#ffffff' }),
    chrome.action.setBadgeText({ text: badge }),
    chrome.action.setTitle({ title: `Puter Bridge: ${sentence}` }),
  ]);
}
