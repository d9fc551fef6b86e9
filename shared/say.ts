import type catalogue from './locales/en/messages.json';

/** Every sentence that pages show stands in locales/en/messages.json, under one of these names. */
export type MessageKey = keyof typeof catalogue;
export type Catalogue = Readonly<Record<MessageKey, { message: string }>>;

/** The sentence of that name, with $1, $2 … replaced. */
export type Say = (key: MessageKey, ...substitutions: string[]) => string;

/** Says the sentences of `catalogue`. What is put in for $1 … is not looked at again. */
export const createSay =
  (catalogue: Catalogue): Say =>
  (key, ...substitutions) =>
    catalogue[key].message.replace(/\$([1-9])/g, (_, position) => substitutions[Number(position) - 1] ?? '');
