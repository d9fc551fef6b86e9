import type { ModelCall } from './model.ts';
import type { PlannedRequest } from './plan.ts';
import { allConnected, waitUntil, type Stage } from './stage.ts';

/** What is promised, in milliseconds, and twice that for a machine that is busy with all the rest. */
export const bounds = {
  /** From the end of a caller's socket to the end of its call at the model. */
  'a caller that hung up': 1000,
  /** From the end of the extension's socket to its knowing, and to its being back. */
  'a line that was cut': 1000,
  'back on a line that was cut': 4000,
  /** Two and a half heartbeats, and three. */
  'a dead line, by the extension': 37_500,
  'a dead line, by the bridge': 45_000,
} as const;
type Notice = keyof typeof bounds;

/** How long it takes until somebody notices that a line broke. */
export interface Notices {
  callerCut(request: PlannedRequest, call: ModelCall | undefined): void;
  extensionCut(extension: number): void;
  /** All lines to the extensions go silent, as if their cables were pulled. */
  deadLines(): Promise<void>;
  readonly slowest: ReadonlyMap<Notice, { ms: number; times: number }>;
}

export function createNotices(stage: Stage, violate: (why: string) => void): Notices {
  const slowest = new Map<Notice, { ms: number; times: number }>();
  function note(notice: Notice, ms: number, about: string): void {
    const { ms: most = 0, times = 0 } = slowest.get(notice) ?? {};
    slowest.set(notice, { ms: Math.max(most, ms), times: times + 1 });
    if (ms > bounds[notice] * 2) violate(`${notice}: ${Math.round(ms)} ms, ${about}`);
  }

  async function watchCall(call: ModelCall, index: number): Promise<void> {
    const at = performance.now();
    const extension = Number(call.extension.slice(1));
    const isQuiet = watchQuiet(extension);
    await waitUntil(() => call.state !== 'running', 10_000);
    const { connectedAt = at, lostAt = at } = stage.extensions[extension] ?? {};
    const wasReachable = lostAt < connectedAt && connectedAt < at;
    if (call.state !== 'finished' && wasReachable && isQuiet())
      note('a caller that hung up', call.since - at, `request ${index}`);
  }

  async function watchLine(index: number): Promise<void> {
    const at = performance.now();
    const extension = stage.extensions[index];
    if (!extension?.isConnected) return;
    const isQuiet = watchQuiet(index);
    await waitUntil(() => extension.lostAt >= at && extension.connectedAt >= at, 20_000);
    if (!isQuiet()) return;
    note('a line that was cut', extension.lostAt - at, extension.name);
    note('back on a line that was cut', extension.connectedAt - at, extension.name);
  }

  /** Whether, from now on, nobody was killed and the line was left alone. */
  function watchQuiet(extension: number): () => boolean {
    const at = performance.now();
    const kills = stage.bridgeKills;
    const isUp = stage.isBridgeUp;
    return () =>
      isUp &&
      kills === stage.bridgeKills &&
      [...(stage.kills[extension] ?? []), stage.lines[extension]?.changedAt ?? 0].every((time) => time <= at);
  }

  return {
    callerCut({ key, index }, call) {
      if (key === null && call?.state === 'running') void watchCall(call, index);
    },
    extensionCut: (extension) => void watchLine(extension),
    async deadLines() {
      await waitUntil(() => allConnected(stage), 20_000);
      const at = performance.now();
      for (const line of stage.lines) line.poison('dead');
      const byExtensions = waitUntil(() => stage.extensions.every(({ lostAt }) => lostAt > at), 90_000).then(() => {
        for (const { lostAt, name } of stage.extensions)
          note('a dead line, by the extension', lostAt > at ? lostAt - at : Infinity, name);
      });
      const byBridge = waitUntil(async () => (await stage.readStatus())?.extensions.length === 0, 90_000).then(() =>
        note('a dead line, by the bridge', performance.now() - at, 'all extensions'),
      );
      await Promise.all([byExtensions, byBridge]);
      for (const line of stage.lines) line.heal();
    },
    slowest,
  };
}
