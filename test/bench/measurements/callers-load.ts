import type { Bed, Contestant } from '../bench.ts';
import type { Contender } from '../contestants/contestants.ts';
import type { CallersOptions, CallersResult } from '../load/callers.ts';

/** Callers of one route who all send the same, to each of the contenders. */
export interface CallersLoad {
  /** Node makes code fast that ran for long enough. */
  warmUp(): Promise<void>;
  measure(callers: number): Promise<[Contestant, CallersResult][]>;
}

export function createCallersLoad(
  bed: Bed,
  contenders: ReadonlyMap<Contestant, Contender>,
  path: string,
  body: object,
): CallersLoad {
  const servers = [...contenders.values()].map(({ url, pid, headers }) => ({ url: url + path, pid, headers }));
  const load = async (options: Pick<CallersOptions, 'callers' | 'turns' | 'seconds'>) =>
    (await bed.load('callers', { ...options, servers, body })) as CallersResult[];

  return {
    warmUp: async () => void (await load({ callers: 32, turns: 1, seconds: 6 })),
    async measure(callers) {
      const results = await load({ callers, turns: 3, seconds: 1 });
      return [...contenders.keys()].map((who, at) => [who, results[at]!]);
    },
  };
}
