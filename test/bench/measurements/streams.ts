import type { Bed, Bench, Contestant } from '../bench.ts';
import { startBare, startBridge, type Contender } from '../contestants/contestants.ts';

/** Lines of Puter's in one answer. */
const chunks = 2000;
const model = `burst:${chunks}`;

/** A whole answer as fast as it can be told, in one stream and in many. */
export const burst: Bench = {
  name: 'burst',
  about: `POST /v1/chat/completions, streams of ${chunks} chunks that come at once`,
  async round(bed, note) {
    const contenders = await startAll(bed);
    for (const [streams, times] of [
      [1, 40],
      [32, 2],
    ] as const) {
      for (const [who, contender] of contenders) {
        const { perSecond = 0 } = await read(bed, contender, { model, streams, times, chunks });
        note(`burst, ${streams} stream${streams === 1 ? '' : 's'} (chunks/s)`, who, perSecond);
      }
    }
  },
};

/** At the pace of a model: how much later than it left the extension a chunk is with the caller. */
export const paced: Bench = {
  name: 'paced',
  about: 'POST /v1/chat/completions, streams of 100 chunks a second: what each chunk is late by',
  async round(bed, note) {
    const contenders = await startAll(bed);
    for (const streams of [1, 50, 200]) {
      for (const [who, contender] of contenders) {
        const figures = await read(bed, contender, { model: 'paced:300:10', streams, times: 1, chunks: 300 });
        note(`paced, ${streams} streams, p50 (ms)`, who, figures['p50'] ?? Number.NaN);
        note(`paced, ${streams} streams, p99 (ms)`, who, figures['p99'] ?? Number.NaN);
      }
    }
  },
};

async function startAll(bed: Bed): Promise<Map<Contestant, Contender>> {
  const contenders = new Map<Contestant, Contender>([
    ['bare', await startBare(bed)],
    ['bridge', await startBridge(bed)],
    ['bridge, a frame a chunk', await startBridge(bed, 'unbatched')],
  ]);
  // Node makes code fast that ran for long enough, and chunks that come at a pace would take minutes for that.
  for (const contender of contenders.values()) await read(bed, contender, { model, streams: 32, times: 10, chunks });
  return contenders;
}

async function read(
  bed: Bed,
  { url }: Contender,
  { model, ...options }: { model: string; streams: number; times: number; chunks: number },
) {
  const body = { model, stream: true, messages: [{ role: 'user', content: 'Say hello.' }] };
  return (await bed.load('streams', { url: `${url}/v1/chat/completions`, body, ...options })) as Record<string, number>;
}
