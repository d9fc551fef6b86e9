import { randomInt } from 'node:crypto';

import { v7 } from 'uuid';

/**
 * An id that nobody guesses, not even from another: a UUIDv7 whose 74 bits beside the time are all random. By itself the
 * package counts on within a millisecond.
 */
export const newId = (): string => v7({ seq: randomInt(2 ** 32) });

/** When such an id was made, in milliseconds since 1970. */
export const timeOf = (id: string): number => parseInt(id.replace('-', '').slice(0, 12), 16);
