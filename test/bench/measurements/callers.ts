import type { Bed, Bench, Contestant, Note } from '../bench.ts';
import { startBare, startBridge, startSeed, type Contender } from '../contestants/contestants.ts';

const body = { prompt: 'Say hello. '.repeat(90) };
const seconds = 2;

/** A prompt of 1 KB, answered at once: how long a caller waits, how many get through, what one costs. */
export const callers: Bench = {
  name: 'callers',
  about: 'POST /api/process, answered at once, by one caller and by many',
  async start(bed) {
    const contenders = new Map<Contestant, Contender>([
      ['bare', await startBare(bed)],
      ['bridge', await startBridge(bed)],
      ['seed', await startSeed(bed)],
    ]);
    // Node makes code fast that ran for long enough.
    for (const contender of contenders.values()) await load(bed, contender, 32, 6);
    return async (note) => {
      for (const [who, contender] of contenders) {
        const alone = await load(bed, contender, 1);
        note('1 caller, p50 (ms)', who, alone.p50);
        note('1 caller, p99 (ms)', who, alone.p99);
      }
      for (const [who, contender] of contenders) await loadAndCount(bed, contender, who, note);
      for (const [who, contender] of contenders)
        note('256 callers (requests/s)', who, (await load(bed, contender, 256)).perSecond);
    };
  },
};

async function loadAndCount(bed: Bed, contender: Contender, who: Contestant, note: Note): Promise<void> {
  const before = contender.cpuMs();
  const { requests, perSecond } = await load(bed, contender, 32);
  note('32 callers (requests/s)', who, perSecond);
  note('processor time of a request (µs)', who, ((contender.cpuMs() - before) * 1000) / requests);
}

async function load(bed: Bed, { url }: Contender, callers: number, forSeconds = seconds) {
  const options = { url: `${url}/api/process`, callers, seconds: forSeconds, body };
  const { requests = 0, perSecond = 0, p50 = 0, p99 = 0 } = await bed.load('callers', options);
  return { requests, perSecond, p50, p99 };
}
