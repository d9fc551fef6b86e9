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
  /** In bytes a minute: of the heap from the second quarter on, of all memory in the second half; null: not told. */
  slopes: { heap: number; rss: number | null };
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
    const heap = slopeOf(samples, samples.length / 4, (it) => it.heap);
    const rss = samples.some((it) => it.rss === null)
      ? null
      : slopeOf(samples, samples.length / 2, (it) => it.rss ?? 0);
    return { samples, endings, slopes: { heap, rss }, troubles: findTroubles(samples, endings, stage) };
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

/** Of the line that lies closest to what the samples are from one of them on, in bytes a minute. */
function slopeOf(samples: readonly Sample[], from: number, bytesOf: (sample: Sample) => number): number {
  const points = samples.slice(Math.floor(from)).map((it) => ({ x: it.minute, y: bytesOf(it) }));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const over = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const under = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
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
