import { fileURLToPath } from 'node:url';

import { startBridge, type Bridge } from '../../bridge/bridge.ts';
import { defaults } from '../../bridge/config.ts';
import { startChromium, type Chromium } from '../browser/chromium.ts';
import { setOptions, signIn } from '../browser/person.ts';
import { startStandIn, type StandIn } from '../puter/stand-in.ts';

export const extensionPath = fileURLToPath(new URL('../../dist/extension-chrome', import.meta.url));

/** The whole way, for real: bridge, Chromium with the built extension, and a Puter stand-in, all on loopback. */
export interface Rig {
  bridge: Bridge;
  chromium: Chromium;
  puter: StandIn;
  /** Waits until the bridge reports a connected, signed-in extension that reached Puter. */
  ready(): Promise<void>;
  /** Stops the bridge and starts it again on the same port. */
  restartBridge(): Promise<void>;
  close(): Promise<void>;
}

export async function startRig(options: { signedIn?: boolean; concurrency?: number } = {}): Promise<Rig> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const puter = await startStandIn(options.concurrency === undefined ? {} : { concurrency: options.concurrency });
    closers.push(() => puter.close());
    let bridge = await openBridge(0);
    closers.push(() => bridge.close());
    const chromium = await startChromium({ extensionPath });
    closers.push(() => chromium.close());

    const bridgePort = Number(new URL(bridge.url).port);
    await setOptions(chromium, { bridgePort, apiOrigin: puter.apiOrigin, guiOrigin: puter.guiOrigin });
    if (options.signedIn !== false) await signIn(chromium, puter.guiOrigin);

    return {
      get bridge() {
        return bridge;
      },
      chromium,
      puter,
      ready: () => until(() => bridge.status.read().puter.reachable === true && bridge.status.read().puter.signed_in),
      async restartBridge() {
        await bridge.close();
        bridge = await openBridge(bridgePort);
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const openBridge = (port: number): Promise<Bridge> =>
  startBridge({ ...defaults, port }, { onUnexpected: (error) => console.error(error) });

/** Waits for a condition of this process's own; rejects when it takes longer than `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > timeoutMs) throw new Error(`Waited ${timeoutMs} ms in vain for: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** POST /api/process, as curl would. */
export async function process(
  url: string,
  body: object,
  signal?: AbortSignal,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/api/process`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
