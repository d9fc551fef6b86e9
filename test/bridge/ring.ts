/** Makes much that lives for long, then more that does not, and prints how much of the latter is still there, in bytes. */

import { tuneMemory } from '../../bridge/tune-memory.ts';

if (process.argv[2] === 'tuned') tuneMemory();

/** As a list of listeners is made, with all that hangs on them. */
const hold = (first: object, second: object): object[] => [first, second];

function make(count: number, present: number): void {
  const alive: object[][] = [];
  for (let made = 0; made < count; made += 1) {
    alive[made % present] = hold({ text: `${made}`.repeat(8) }, { made });
  }
}

make(300_000, 50_000);
const before = process.memoryUsage().heapUsed;
make(300_000, 100);
console.log(process.memoryUsage().heapUsed - before);
