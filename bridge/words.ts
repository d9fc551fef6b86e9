import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };
import type { Say } from '#shared/messages.ts';

/** The sentences of the catalogue, as the bridge says them. What is put in for $1 … is not looked at again. */
export const say: Say = (key, ...substitutions) =>
  catalogue[key].message.replace(/\$([1-9])/g, (_, position) => substitutions[Number(position) - 1] ?? '');
