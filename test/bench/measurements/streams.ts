import type { Bed, Bench, Contestant } from '../bench.ts';
import { namedStreams } from '../budget.ts';
import { startBare, startBridge, type Contender } from '../contestants/contestants.ts';
import type { StreamsOptions, StreamsResult } from '../load/streams.ts';

/** Lines of Puter's in one answer. */
const burstChunks = 2000;
/** The same at a pace of 10 ms. */
const pacedChunks = 400;
/** With lanes for all streams at once. */
const extensions = 4;

/** A whole answer as fast as it can be told, in one stream and in many. */
export const burst: Bench = {
  name: 'burst',
  about: `POST /v1/chat/completions, streams of ${burstChunks} chunks that come at once`,
  async round(bed, note) {
    const contenders = new Map<Contestant, Contender>([
      ['bare', await startBare(bed)],
      ['bridge', await startBridge(bed)],
      ['bridge, a frame a chunk', await startBridge(bed, 'unbatched')],
    ]);
    for (const [streams, turns] of [
      [32, 2],
      [1, 40],
    ] as const) {
      for (const [who, { perSecond }] of await readBursts(bed, contenders, { streams, warmUpTurns: 10, turns }))
        note(`burst, ${namedStreams(streams)} (chunks/s)`, who, perSecond);
    }
  },
};

/** At the pace of a model: how much later than it left the extension a chunk is with the caller. */
export const paced: Bench = {
  name: 'paced',
  about: 'POST /v1/chat/completions, streams of 100 chunks a second: what each chunk is late by',
  async round(bed, note) {
    const contenders = new Map<Contestant, Contender>([
      ['bare', await startBare(bed, extensions)],
      ['bridge', await startBridge(bed, 'batched', extensions)],
    ]);
    // What runs for every chunk gets warm by these; at a pace, that would take minutes.
    await readBursts(bed, contenders, { streams: 32, warmUpTurns: 10, turns: 0 });
    for (const streams of [1, 50, 200]) {
      const results = await read(bed, contenders, {
        model: `paced:${pacedChunks}:10`,
        chunks: pacedChunks,
        counted: [100, 350],
        streams,
        warmUpTurns: 2,
        turns: 2,
      });
      for (const [who, { p50, p99 }] of results) {
        note(`paced, ${namedStreams(streams)}, p50 (ms)`, who, p50);
        note(`paced, ${namedStreams(streams)}, p99 (ms)`, who, p99);
      }
    }
  },
};

type Contenders = ReadonlyMap<Contestant, Contender>;
type Turns = Pick<StreamsOptions, 'streams' | 'warmUpTurns' | 'turns'>;

const readBursts = (bed: Bed, contenders: Contenders, turns: Turns) =>
  read(bed, contenders, { model: `burst:${burstChunks}`, chunks: burstChunks, counted: [0, 0], ...turns });

async function read(
  bed: Bed,
  contenders: Contenders,
  { model, ...options }: Omit<StreamsOptions, 'urls' | 'body'> & { model: string },
): Promise<[Contestant, StreamsResult][]> {
  const urls = [...contenders.values()].map(({ url }) => `${url}/v1/chat/completions`);
  const body = { model, stream: true, messages: [{ role: 'user', content: 'Say hello.' }] };
  const results = (await bed.load('streams', { ...options, urls, body } satisfies StreamsOptions)) as StreamsResult[];
  return [...contenders.keys()].map((who, at) => [who, results[at]!]);
}
