import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

import { maxCallerChars } from '#shared/protocol.ts';

import type { Caller } from '../chat/chats.ts';
import { readIdempotencyKey, readRepetition } from './idempotency.ts';
import type { Exchange } from './route.ts';

/** Who asks, and how headers or body want the request treated. Throws where a header is wrong. */
export function readCaller({ headers, scope }: Exchange, body: { priority?: Caller['priority'] | null }): Caller {
  return {
    scope,
    name: readName(headers),
    // Browsers send a header of that name, too, with words of their own.
    priority: body.priority ?? (headers['priority'] === 'high' ? 'high' : 'normal'),
    key: readIdempotencyKey(headers),
    repetition: readRepetition(headers),
  };
}

/** The program that asks, by its own account: the User-Agent on one line, or null where it names none. */
export function readName({ 'user-agent': name = '' }: IncomingHttpHeaders): string | null {
  // Cut first: half of a pair that is left over goes with the control characters.
  const cut = name.slice(0, maxCallerChars);
  return (/^[\x20-\x7e]*$/.test(cut) ? cut : cut.replace(/\p{C}/gu, '')).trim() || null;
}

/**
 * Whose requests count together: those that one key let in, which is another one under a name that is used again, else
 * those of one program at one address. A name that a program gives itself never looks like a key's.
 */
export function scopeOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  key?: { name: string; id: string },
): string {
  if (key !== undefined) return `key:${key.name} ${key.id}`;
  const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'socket';
  return `${address} ${readName(headers) ?? '-'}`;
}
