import type { Bed, Bench, Contestant } from '../bench.ts';
import { startBridge, startPortkey, type Contender } from '../contestants/contestants.ts';

const body = { model: 'fake', messages: [{ role: 'user', content: 'Say hello.' }] };
const seconds = 2;

/** What somebody would take instead, on the route that both have. */
export const portkey: Bench = {
  name: 'portkey',
  about: 'POST /v1/chat/completions, answered at once, beside the gateway of Portkey',
  async start(bed) {
    const contenders = new Map<Contestant, Contender>([
      ['bridge', await startBridge(bed)],
      ['portkey', await startPortkey(bed)],
    ]);
    // Node makes code fast that ran for long enough.
    for (const contender of contenders.values()) await load(bed, contender, 32, 6);
    return async (note) => {
      for (const [who, contender] of contenders)
        note('completions by 1 caller, p50 (ms)', who, (await load(bed, contender, 1)).p50);
      for (const [who, contender] of contenders)
        note('completions at 32 callers (requests/s)', who, (await load(bed, contender, 32)).perSecond);
    };
  },
};

async function load(bed: Bed, { url, headers }: Contender, callers: number, forSeconds = seconds) {
  const options = {
    url: `${url}/v1/chat/completions`,
    callers,
    seconds: forSeconds,
    body,
    ...(headers && { headers }),
  };
  const { perSecond = 0, p50 = 0 } = await bed.load('callers', options);
  return { perSecond, p50 };
}
