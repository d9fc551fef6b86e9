import type { IncomingHttpHeaders } from 'node:http';

import { maxCallerChars } from '#shared/protocol.ts';

/** The program that asks, by its own account: the User-Agent on one line, or null where it names none. */
export function readCaller({ 'user-agent': name = '' }: IncomingHttpHeaders): string | null {
  // Cut first: half of a pair that is left over goes with the control characters.
  return name.slice(0, maxCallerChars).replace(/\p{C}/gu, '').trim() || null;
}
