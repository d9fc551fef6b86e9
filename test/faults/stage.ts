import { setTimeout as delay } from 'node:timers/promises';

import { onParentEnd } from '../browser/parent-end.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { createKillableBridge, type KillableBridge } from './bridge.ts';
import { send } from './caller.ts';
import { createExtension, type Extension } from './extension.ts';
import { startCountingModel, type CountingModel, type ModelCall } from './model.ts';
import { startToxicProxy, type ToxicProxy } from './toxic-proxy.ts';

/** A bridge, its extensions and what counts the calls, each in reach of a fault. */
export interface Stage {
  bridge: KillableBridge;
  extensions: Extension[];
  /** From each extension to the bridge. */
  lines: ToxicProxy[];
  model: CountingModel;
  /** kill -9, and a new start as soon as it is gone. Both resolve once it is up. */
  restartBridge(): Promise<void>;
  restartExtension(index: number): Promise<void>;
  readonly isBridgeUp: boolean;
  /** How often the bridge was killed, and when each extension was. */
  readonly bridgeKills: number;
  readonly kills: readonly (readonly number[])[];
  readStatus(): Promise<BridgeCounts | null>;
  close(): Promise<void>;
}

interface BridgeCounts {
  queue: { queued: number; running: number };
  extensions: { lanes: { busy: number; free: number } }[];
}

export async function startStage(options: {
  random: () => number;
  scale: number;
  extensions: number;
  lanes: number;
  pauseMs: () => number;
  onHalf?: (call: ModelCall) => void;
  onLast?: (call: ModelCall) => void;
  /** Bytes on their way to that extension. */
  onAnswer?: (extension: number, bytes: Buffer) => void;
  onCut?: (extension: number) => void;
  heapProbe?: string;
}): Promise<Stage> {
  const { random, scale, onAnswer, onCut, lanes, heapProbe } = options;
  const folder = await createTemporaryFolder('faults');
  const model = await startCountingModel(options);
  const bridge = createKillableBridge({ stateDir: folder.dir, ...(heapProbe !== undefined && { heapProbe }) });
  const extensions: Extension[] = [];
  const lines: ToxicProxy[] = [];
  let isClosed = false;
  const forget = onParentEnd(() => {
    isClosed = true;
    for (const it of [bridge, ...extensions]) void it.kill();
  });
  const kills: number[][] = [];
  let bridgeKills = 0;
  let restarting: Promise<void> | undefined;
  const returning: (Promise<void> | undefined)[] = [];
  await bridge.start();
  for (let index = 0; index < options.extensions; index += 1) {
    const line = await startToxicProxy({
      target: () => bridge.port,
      random,
      scale,
      onAnswer: (bytes) => onAnswer?.(index, bytes),
      onCut: () => onCut?.(index),
    });
    const address = `http://127.0.0.1:${line.port}`;
    const settings = { address, modelUrl: model.url, profile: crypto.randomUUID(), name: `E${index}`, lanes };
    const extension = createExtension(settings);
    extension.start();
    lines.push(line);
    extensions.push(extension);
    kills.push([]);
  }

  return {
    bridge,
    extensions,
    lines,
    model,
    restartBridge() {
      restarting ??= (async () => {
        bridgeKills += 1;
        await bridge.kill();
        if (isClosed) return;
        // Whoever ends all of this, ends it while it starts, too.
        await bridge.start().catch((error: unknown) => isClosed || Promise.reject(error as Error));
      })().finally(() => (restarting = undefined));
      return restarting;
    },
    restartExtension(index) {
      kills[index]?.push(performance.now());
      const restart = async () => {
        await extensions[index]?.kill();
        if (!isClosed) extensions[index]?.start();
      };
      // Two that come at once are one: a profile has one background page.
      returning[index] ??= restart().finally(() => (returning[index] = undefined));
      return returning[index];
    },
    get isBridgeUp() {
      return restarting === undefined;
    },
    get bridgeKills() {
      return bridgeKills;
    },
    kills,
    async readStatus() {
      const { port } = bridge;
      const signal = AbortSignal.timeout(5000);
      const headers = ['Accept: application/json'];
      const heard = await send({ port, method: 'GET', path: '/api/status', headers, signal });
      return heard.type === 'answer' ? (JSON.parse(heard.body) as BridgeCounts) : null;
    },
    async close() {
      isClosed = true;
      await Promise.all([restarting, ...returning]);
      forget();
      await Promise.all([bridge, ...extensions].map((it) => it.kill()));
      await Promise.all([model, ...lines].map((it) => it.close()));
      await folder.remove();
    },
  };
}

/** Waits until it holds; false where it did not within `ms`. */
export async function waitUntil(holds: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await holds()) return true;
    await delay(20);
  }
  return holds();
}

export const allConnected = ({ extensions }: Stage): boolean => extensions.every(({ isConnected }) => isConnected);
