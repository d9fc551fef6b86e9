import type { Bed, Bench } from '../bench.ts';
import { startBridge } from '../contestants/contestants.ts';
import { summarise } from '../figures.ts';

const lanes = 64;
const chars = 1_000_000;

/** Whether what is more costs more than its share. */
export const growth: Bench = {
  name: 'growth',
  about: 'how the cost of a request grows with the queue, and that of an answer with its length',
  async round(bed, note) {
    note('p50 with 1,000 queued, times that with 10', 'bridge', await growQueue(bed));
    const bridge = await startBridge(bed);
    const ratios: number[] = [];
    for (let turn = -1; turn < 5; turn += 1) {
      let small = 0;
      for (let time = 0; time < 10; time += 1) small += await answer(bridge.url, chars);
      const large = await answer(bridge.url, 10 * chars);
      if (turn >= 0) ratios.push(large / small);
    }
    note('10 MB answer, times ten of 1 MB', 'bridge', summarise(ratios).median);
  },
};

/** How much longer it takes to queue a request and take it out again. */
async function growQueue(bed: Bed): Promise<number> {
  const bridge = await startBridge(bed);
  const body = { prompt: 'Hello', model: 'hold', wait: false };
  const queue = async () => ((await post(bridge.url, body)) as { request_id: string }).request_id;
  async function comeAndGo(): Promise<number> {
    const startedAt = performance.now();
    await fetch(`${bridge.url}/api/requests/${await queue()}`, { method: 'DELETE' });
    return performance.now() - startedAt;
  }
  async function p50With(queued: number): Promise<number> {
    for (let held = await countHeld(); held < lanes + queued; held += 1) await queue();
    const times: number[] = [];
    for (let time = 0; time < 300; time += 1) times.push(await comeAndGo());
    return summarise(times).median;
  }
  async function countHeld(): Promise<number> {
    const status = (await (await fetch(`${bridge.url}/api/status`)).json()) as { queue: Record<string, number> };
    return Object.values(status.queue).reduce((sum, count) => sum + count, 0);
  }
  await p50With(10);
  const few = await p50With(10);
  const many = await p50With(1000);
  await bridge.close();
  return many / few;
}

/** Milliseconds to the end of an answer of so many characters. */
async function answer(url: string, size: number): Promise<number> {
  const startedAt = performance.now();
  const { result } = (await post(url, { prompt: 'Hello', model: `large:${size}` })) as { result: string };
  if (result.length !== size) throw new Error(`An answer of ${size} characters came with ${result.length}.`);
  return performance.now() - startedAt;
}

async function post(url: string, body: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/api/process`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`The bridge answered ${response.status}: ${await response.text()}`);
  return response.json();
}
