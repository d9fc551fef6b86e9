import type { Say } from '#shared/messages.ts';

/** The sentence of that name, in the browser's language where we have it. */
export const say: Say = (key, ...substitutions) => chrome.i18n.getMessage(key, substitutions);
