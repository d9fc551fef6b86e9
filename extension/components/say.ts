import english from '#shared/locales/en/messages.json' with { type: 'json' };
import { createSay, type Say } from '#shared/say.ts';

const sayInEnglish = createSay(english);

/**
 * The sentence of that name, in the browser's language where we have it. A page that opens in the moment after the
 * installation may find the browser without any of our sentences, and then has none for as long as its process
 * lives (about one start in five on Chromium 156): so it brings the English ones along.
 */
export const say: Say = (key, ...substitutions) =>
  chrome.i18n.getMessage(key, substitutions) || sayInEnglish(key, ...substitutions);
