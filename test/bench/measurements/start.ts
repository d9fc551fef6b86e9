import { setTimeout as delay } from 'node:timers/promises';

import type { Bed, Bench, Contestant, Note } from '../bench.ts';
import { startBare, startBridge, type Contender } from '../contestants/contestants.ts';

const settleMs = 2000;
const idleMs = 12_000;

/** From nothing to listening, and what it is worth while nobody asks. */
export const start: Bench = {
  name: 'start',
  about: 'from nothing to listening, and what an idle server takes with an extension connected',
  async round(bed, note) {
    for (const [who, begin] of Object.entries({ bare: startBare, bridge: startBridge })) {
      await watch(bed, who as Contestant, begin, note);
    }
  },
};

async function watch(bed: Bed, who: Contestant, begin: (bed: Bed) => Promise<Contender>, note: Note): Promise<void> {
  const server = await begin(bed);
  note('start to listening (ms)', who, server.startMs);
  await delay(settleMs);
  const before = server.wakeUps();
  await delay(idleMs);
  note('idle wake-ups in 12 s', who, server.wakeUps() - before);
  note('idle memory (MiB)', who, server.memoryBytes() / 2 ** 20);
  await server.close();
}
