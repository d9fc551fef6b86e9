import type { Bed } from '../bench.ts';
import type { Contender } from '../contestants/contestants.ts';

/** What callers met who each sent one request after the other, for two seconds. */
export interface CallersResult {
  perSecond: number;
  /** Milliseconds until an answer. */
  p50: number;
  p99: number;
  /** Of the server's processor, for one request. */
  cpuMicros: number;
}

/** Callers of one route who all send the same. */
export interface CallersLoad {
  /** Node makes code fast that ran for long enough. */
  warmUp(contender: Contender): Promise<void>;
  measure(contender: Contender, callers: number): Promise<CallersResult>;
}

export function createCallersLoad(bed: Bed, path: string, body: object): CallersLoad {
  const load = ({ url, headers }: Contender, callers: number, seconds: number) =>
    bed.load('callers', { url: url + path, callers, seconds, body, ...(headers && { headers }) });

  return {
    warmUp: async (contender) => void (await load(contender, 32, 6)),
    async measure(contender, callers) {
      const before = contender.cpuMs();
      const { requests = 0, perSecond = 0, p50 = 0, p99 = 0 } = await load(contender, callers, 2);
      return { perSecond, p50, p99, cpuMicros: ((contender.cpuMs() - before) * 1000) / requests };
    },
  };
}
