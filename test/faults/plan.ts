import { createRandom, pick } from './random.ts';
import { toxics, type Toxic } from './toxic-proxy.ts';

/** How far a request is when something breaks; `ack` is when its answer is whole, and not yet recorded. */
export const phases = ['queued', 'before started', 'mid-stream', 'before ack'] as const;
export type Phase = (typeof phases)[number];

/** What breaks: a line, on the caller's side or the extension's, or one of the two processes, by kill -9. */
export type Fault = { phase: Phase } & (
  | { side: 'caller' | 'extension'; what: Toxic }
  | { side: 'process'; what: 'kill bridge' | 'kill extension' }
);

export interface PlannedRequest {
  index: number;
  path: '/api/process' | '/v1/chat/completions';
  isStream: boolean;
  /** With one, it is sent until it has its answer. */
  key: string | null;
  /** Without one, what a client does after a failure: gives up, sends it anew, or says that it repeats itself. */
  afterCut: 'stop' | 'anew' | 'repeat';
  fault: Fault | null;
  /** Of the extensions, for a fault that comes before one of them has the request. */
  extension: number;
}

export const allFaults: readonly Fault[] = phases.flatMap((phase): Fault[] => [
  ...toxics.flatMap((what) => [
    { phase, side: 'caller' as const, what },
    { phase, side: 'extension' as const, what },
  ]),
  { phase, side: 'process', what: 'kill bridge' },
  { phase, side: 'process', what: 'kill extension' },
]);

/** Every fault at every phase comes once in eighty requests, in an order that follows from the seed. */
export function makePlan(seed: number, count: number, extensions: number): PlannedRequest[] {
  const random = createRandom(seed);
  const faults: (Fault | null)[] = [];
  while (faults.length < count)
    faults.push(...shuffle([...allFaults, ...Array.from({ length: 8 }, () => null)], random));
  return faults.slice(0, count).map((fault, index) => {
    const path = pick(random, ['/api/process', '/v1/chat/completions'] as const);
    return {
      index,
      path,
      isStream: path !== '/api/process' && random() < 0.7,
      key: random() < 0.4 ? `key-${seed}-${index}` : null,
      afterCut: pick(random, ['stop', 'anew', 'repeat'] as const),
      fault,
      extension: Math.floor(random() * extensions),
    };
  });
}

function shuffle<T>(items: T[], random: () => number): T[] {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
}
