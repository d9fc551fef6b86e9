import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };
import { createSay } from '#shared/say.ts';

/** The sentences of the catalogue, as the bridge says them. */
export const say = createSay(catalogue);
