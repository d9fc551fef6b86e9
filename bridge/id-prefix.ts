/** What dialects put before the id of a request where they tell it, since their clients expect it there. */
const prefixes = ['chatcmpl-', 'cmpl-'] as const;

export type IdPrefix = (typeof prefixes)[number];

/** The id of a request, from what its caller was told. */
export function withoutPrefix(told: string): string {
  const prefix = prefixes.find((it) => told.startsWith(it)) ?? '';
  return told.slice(prefix.length);
}
