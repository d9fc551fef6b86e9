import type { Bench, Contestant } from '../bench.ts';
import { startBridge, startBridgeWithoutJournal, type Contender } from '../contestants/contestants.ts';

const body = { prompt: 'Say hello. '.repeat(90) };
const seconds = 2;

/** What it costs that answers are kept, beside a bridge whose journal keeps nothing. */
export const journal: Bench = {
  name: 'journal',
  about: 'POST /api/process with the journal and without',
  async start(bed) {
    const contenders = new Map<Contestant, Contender>([
      ['bridge', await startBridge(bed)],
      ['bridge without journal', await startBridgeWithoutJournal(bed)],
    ]);
    for (const { url } of contenders.values())
      await bed.load('callers', { url: `${url}/api/process`, callers: 32, seconds: 6, body });
    return async (note) => {
      for (const [who, { url, cpuMs }] of contenders) {
        const load = (callers: number) => bed.load('callers', { url: `${url}/api/process`, callers, seconds, body });
        note('journal: 1 caller, p50 (ms)', who, (await load(1))['p50'] ?? Number.NaN);
        const before = cpuMs();
        const { requests = 0 } = await load(32);
        note('journal: processor time of a request (µs)', who, ((cpuMs() - before) * 1000) / requests);
      }
    };
  },
};
