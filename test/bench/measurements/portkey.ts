import type { Bench, Contestant } from '../bench.ts';
import { startBridge, startPortkey, type Contender } from '../contestants/contestants.ts';
import { createCallersLoad } from './callers-load.ts';

const body = { model: 'fake', messages: [{ role: 'user', content: 'Say hello.' }] };

/** What somebody would take instead, on the route that both have. */
export const portkey: Bench = {
  name: 'portkey',
  about: 'POST /v1/chat/completions, answered at once, beside the gateway of Portkey',
  async round(bed, note) {
    const contenders = new Map<Contestant, Contender>([
      ['bridge', await startBridge(bed)],
      ['portkey', await startPortkey(bed)],
    ]);
    const measure = createCallersLoad(bed, contenders, '/v1/chat/completions', body);
    for (const [who, { perSecond }] of await measure(32))
      note('completions at 32 callers (requests/s)', who, perSecond);
    for (const [who, { p50 }] of await measure(1)) note('completions by 1 caller, p50 (ms)', who, p50);
  },
};
