import type { Bench, Contestant } from '../bench.ts';
import { startBridge, startBridgeWithoutJournal, type Contender } from '../contestants/contestants.ts';
import { createCallersLoad } from './callers-load.ts';

const body = { prompt: 'Say hello. '.repeat(90) };

/** What it costs that answers are kept, beside a bridge whose journal keeps nothing. */
export const journal: Bench = {
  name: 'journal',
  about: 'POST /api/process with the journal and without',
  async start(bed) {
    const contenders = new Map<Contestant, Contender>([
      ['bridge', await startBridge(bed)],
      ['bridge without journal', await startBridgeWithoutJournal(bed)],
    ]);
    const load = createCallersLoad(bed, '/api/process', body);
    for (const contender of contenders.values()) await load.warmUp(contender);
    return async (note) => {
      for (const [who, contender] of contenders) {
        note('journal: 1 caller, p50 (ms)', who, (await load.measure(contender, 1)).p50);
        note('journal: processor time of a request (µs)', who, (await load.measure(contender, 32)).cpuMicros);
      }
    };
  },
};
