import type { Bed, Contestant } from '../bench.ts';
import type { Contender } from '../contestants/contestants.ts';
import type { CallersOptions, CallersResult } from '../load/callers.ts';

/** Measures so many callers of one route who all send the same, to each of the contenders. */
export function createCallersLoad(
  bed: Bed,
  contenders: ReadonlyMap<Contestant, Contender>,
  path: string,
  body: object,
): (callers: number) => Promise<[Contestant, CallersResult][]> {
  const servers = [...contenders.values()].map(({ url, pid, headers }) => ({ url: url + path, pid, headers }));

  return async (callers) => {
    const options: CallersOptions = { servers, body, callers, warmUpTurns: 8, turns: 4 };
    const results = (await bed.load('callers', options)) as CallersResult[];
    return [...contenders.keys()].map((who, at) => [who, results[at]!]);
  };
}
