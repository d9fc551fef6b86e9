import type catalogue from './locales/en/messages.json';

/** Every sentence that pages show stands in locales/en/messages.json, under one of these names. */
export type MessageKey = keyof typeof catalogue;

/** The sentence of that name, with $1, $2 … replaced. */
export type Say = (key: MessageKey, ...substitutions: string[]) => string;
