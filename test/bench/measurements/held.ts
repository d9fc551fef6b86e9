import { setTimeout as delay } from 'node:timers/promises';

import type { Bed, Bench } from '../bench.ts';
import { root } from '../bed.ts';
import { startBare, startBridge, type Contender } from '../contestants/contestants.ts';

const count = 5000;
/** Until a server has taken in what was sent, and cleared up. */
const settleMs = 1500;

/** Requests that wait for an answer: what each takes in memory, by servers that are new each time. */
export const held: Bench = {
  name: 'held',
  about: `${count} requests that wait for their answer: what each takes in memory`,
  async round(bed, note) {
    const figure = 'memory of a held request (KiB)';
    note(figure, 'bare', (await hold(bed, await startBare(bed), count, 'Hello')) / count / 1024);
    note(figure, 'bridge', (await hold(bed, await startBridge(bed), count, 'Hello')) / count / 1024);
    const [once, twice] = [await holdLarge(bed, 500), await holdLarge(bed, 1000)];
    note('memory of 2 × the held bytes, times that of 1 ×', 'bridge', twice / once);
  },
};

const holdLarge = async (bed: Bed, count: number): Promise<number> =>
  hold(bed, await startBridge(bed), count, 'word '.repeat(20_000));

/** Bytes that so many requests take. Ends the server. */
async function hold(bed: Bed, server: Contender, count: number, prompt: string): Promise<number> {
  await delay(settleMs);
  const before = server.memoryBytes();
  const options = { url: `${server.url}/api/process`, count, body: { prompt, model: 'hold', timeout_ms: 600_000 } };
  const holder = await bed.assist([`${root}dist/bench/load/held.js`, JSON.stringify(options)]);
  await delay(settleMs);
  const bytes = server.memoryBytes() - before;
  await holder.close();
  await server.close();
  return bytes;
}
