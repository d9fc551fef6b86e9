/** Lets much come and go in the map that is named, and prints how much of it was still there afterwards, in bytes. */

import { createTransientMap } from '#shared/transient-map.ts';

const map = process.argv[2] === 'own' ? createTransientMap<object>() : new Map<string, object>();
/** How many are there at once, how many come in all, and how large each is. */
const [present, all, size] = [32, 4000, 1000];

function come(number: number): void {
  map.set(
    `id ${number}`,
    Array.from({ length: size }, (_, at) => at + 0.5),
  );
  map.delete(`id ${number - present}`);
}

// Whatever is made anew for the first time is old after that.
for (let number = 0; number < all; number += 1) come(number);
const before = process.memoryUsage().heapUsed;
for (let number = all; number < 2 * all; number += 1) come(number);
console.log(process.memoryUsage().heapUsed - before);
