import { randomFillSync } from 'node:crypto';

import { v7 } from 'uuid';

/**
 * An id that nobody guesses, not even from another: a UUIDv7 whose 74 bits beside the time are all random. By itself the
 * package counts on within a millisecond.
 */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += idBytes));
  // The package leaves out the bytes in whose place the time stands.
  return v7({ random, seq: random.readUInt32BE() });
}

const idBytes = 16;
/** To ask the system for many takes no longer than for one. */
const pool = Buffer.alloc(256 * idBytes);
let used = pool.length;

/** When such an id was made, in milliseconds since 1970. */
export const timeOf = (id: string): number => parseInt(id.replace('-', '').slice(0, 12), 16);
