import type { Bench, Contestant } from '../bench.ts';
import { startBridge, startBridgeWithoutJournal, type Contender } from '../contestants/contestants.ts';
import { createCallersLoad } from './callers-load.ts';

const body = { prompt: 'Say hello. '.repeat(90) };

/** What it costs that answers are kept, beside a bridge whose journal keeps nothing. */
export const journal: Bench = {
  name: 'journal',
  about: 'POST /api/process with the journal and without',
  async round(bed, note) {
    const contenders = new Map<Contestant, Contender>([
      ['bridge', await startBridge(bed)],
      ['bridge without journal', await startBridgeWithoutJournal(bed)],
    ]);
    const measure = createCallersLoad(bed, contenders, '/api/process', body);
    for (const [who, { cpuMicros }] of await measure(32))
      note('journal: processor time of a request (µs)', who, cpuMicros);
    for (const [who, { p50 }] of await measure(1)) note('journal: 1 caller, p50 (ms)', who, p50);
  },
};
