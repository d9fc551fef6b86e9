import type { Bench, Contestant } from '../bench.ts';
import { startBare, startBridge, startSeed, type Contender } from '../contestants/contestants.ts';
import { createCallersLoad } from './callers-load.ts';

const body = { prompt: 'Say hello. '.repeat(90) };

/** A prompt of 1 KB, answered at once: how long a caller waits, how many get through, what one costs. */
export const callers: Bench = {
  name: 'callers',
  about: 'POST /api/process, answered at once, by one caller and by many',
  async round(bed, note) {
    const contenders = new Map<Contestant, Contender>([
      ['bare', await startBare(bed)],
      ['bridge', await startBridge(bed)],
      ['seed', await startSeed(bed)],
    ]);
    const measure = createCallersLoad(bed, contenders, '/api/process', body);
    for (const [who, { perSecond, cpuMicros }] of await measure(32)) {
      note('32 callers (requests/s)', who, perSecond);
      note('processor time of a request (µs)', who, cpuMicros);
    }
    for (const [who, { p50, p99 }] of await measure(1)) {
      note('1 caller, p50 (ms)', who, p50);
      note('1 caller, p99 (ms)', who, p99);
    }
    for (const [who, { perSecond }] of await measure(256)) note('256 callers (requests/s)', who, perSecond);
  },
};
