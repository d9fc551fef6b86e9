import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createRandom } from '../faults/random.ts';
import { allConnected, startStage, waitUntil, type Stage } from '../faults/stage.ts';
import { createTraffic } from './traffic.ts';

/** What the bridge takes when nothing is under way; files and sockets are null where the system does not tell. */
export interface Sample {
  minute: number;
  heap: number;
  rss: number | null;
  files: number | null;
  sockets: number | null;
  /** Requests that wait or run, and lanes that are taken. */
  pending: number;
  requests: number;
}

export interface SoakReport {
  samples: Sample[];
  endings: Map<string, number>;
  /** Of the heap, in bytes a minute, from the second quarter on. */
  slope: number;
  /** What is not as it was, in words. */
  troubles: string[];
}

const heapProbe = fileURLToPath(new URL('heap-probe.ts', import.meta.url));
const disconnectEveryMs = 7000;

/**
 * Callers of all kinds for a while, extensions whose sockets break now and then, and in between moments of rest in which
 * the bridge is measured.
 */
export async function runSoak(options: {
  minutes: number;
  rps: number;
  seed: number;
  /** Between two measurements. */
  sampleEveryMs: number;
  onSample?: (sample: Sample) => void;
  signal: AbortSignal;
}): Promise<SoakReport> {
  const { minutes, rps, seed, sampleEveryMs, onSample, signal } = options;
  const random = createRandom(seed);
  const endings = new Map<string, number>();
  const samples: Sample[] = [];
  let requests = 0;
  const stage = await startStage({
    ...{ random, scale: 1, extensions: 3, lanes: 8, heapProbe },
    pauseMs: () => 5 + Math.random() * 40,
  });
  const traffic = createTraffic({ port: () => stage.bridge.port, random, signal });
  const startedAt = performance.now();

  async function load(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const running = new Set<Promise<void>>();
    let nextCut = performance.now() + random() * disconnectEveryMs;
    for (let due = performance.now(); due < end && !signal.aborted; due += 1000 / rps) {
      await delay(Math.max(0, due - performance.now()));
      requests += 1;
      const it = traffic
        .next()
        .then((ending) => void endings.set(ending, (endings.get(ending) ?? 0) + 1))
        .finally(() => running.delete(it));
      running.add(it);
      if (performance.now() < nextCut) continue;
      stage.lines[Math.floor(random() * stage.lines.length)]?.poison('reset_peer');
      nextCut = performance.now() + random() * 2 * disconnectEveryMs;
    }
    await Promise.all(running);
  }

  async function sample(): Promise<void> {
    if (signal.aborted) return;
    for (const line of stage.lines) line.heal();
    await waitUntil(async () => allConnected(stage) && (await pendingOf(stage)) === 0, 40_000);
    const known = samples[0]?.files;
    let sizes = known === undefined ? await settled(stage) : null;
    // What idles at the end of a probe is closed after a few seconds.
    if (known) await waitUntil(async () => ((sizes = await stage.bridge.measure())?.files ?? 0) <= known, 10_000);
    const taken: Sample = {
      minute: (performance.now() - startedAt) / 60_000,
      heap: await stage.bridge.measureHeap(),
      rss: sizes?.rss ?? null,
      files: sizes?.files ?? null,
      sockets: sizes?.sockets ?? null,
      pending: await pendingOf(stage),
      requests,
    };
    samples.push(taken);
    onSample?.(taken);
  }

  try {
    await waitUntil(() => allConnected(stage), 10_000);
    // Once everything is loaded that is loaded when it is first needed.
    await load(Math.min(3000, sampleEveryMs));
    await sample();
    const end = performance.now() + minutes * 60_000;
    while (performance.now() < end && !signal.aborted) {
      await load(Math.min(sampleEveryMs, end - performance.now()));
      await sample();
    }
    const slope = slopeOf(samples.slice(Math.floor(samples.length / 4)));
    return { samples, endings, slope, troubles: findTroubles(samples, endings, stage) };
  } finally {
    await stage.close();
  }
}

async function pendingOf(stage: Stage): Promise<number> {
  const status = await stage.readStatus();
  if (!status) return Number.NaN;
  return status.queue.queued + status.queue.running + status.extensions.reduce((sum, { lanes }) => sum + lanes.busy, 0);
}

/** The least that it has open, over six seconds: longer than an idle connection is kept. */
async function settled({ bridge }: Stage): ReturnType<Stage['bridge']['measure']> {
  let least = await bridge.measure();
  await waitUntil(async () => {
    const sizes = await bridge.measure();
    if (sizes && least && sizes.files < least.files) least = sizes;
    return least === null;
  }, 6000);
  return least;
}

/** Of the line that lies closest to all samples, in bytes a minute. */
export function slopeOf(samples: readonly Pick<Sample, 'minute' | 'heap'>[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [minute, heap] = [mean(samples.map((it) => it.minute)), mean(samples.map((it) => it.heap))];
  const over = samples.reduce((sum, it) => sum + (it.minute - minute) * (it.heap - heap), 0);
  const under = samples.reduce((sum, it) => sum + (it.minute - minute) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

function findTroubles(samples: readonly Sample[], endings: ReadonlyMap<string, number>, stage: Stage): string[] {
  const [first, last] = [samples[0], samples.at(-1)];
  const troubles: string[] = [];
  for (const wrong of ['garbage', 'short', 'another answer', 'error internal_error'])
    if (endings.has(wrong)) troubles.push(`${endings.get(wrong)} times: ${wrong}`);
  if (last?.pending !== 0) troubles.push(`${last?.pending} requests are still pending`);
  if ((last?.files ?? 0) > (first?.files ?? Infinity))
    troubles.push(`files: ${first?.files} before, ${last?.files} after`);
  const running = stage.model.calls.filter(({ state }) => state === 'running').length;
  if (running > 0) troubles.push(`${running} calls still run at the model`);
  if (stage.bridge.errors() !== '') troubles.push(`the bridge says: ${stage.bridge.errors().slice(0, 500)}`);
  return troubles;
}
