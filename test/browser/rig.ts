import { fileURLToPath } from 'node:url';

import { startBridge, type Bridge } from '../../bridge/bridge.ts';
import { defaults, type Config } from '../../bridge/config.ts';
import { startStandIn, type StandIn } from '../puter/stand-in.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { startChromium, type Chromium } from './chromium.ts';
import type { DrivenBrowser } from './driven-browser.ts';
import { startFirefox } from './firefox.ts';
import { pair, setOptions, signIn } from './person.ts';
import { testedBrowser, type TestedBrowser } from './tested-browser.ts';

export const builtExtension = (browser: 'chrome' | 'firefox'): string =>
  fileURLToPath(new URL(`../../dist/extension-${browser}`, import.meta.url));

/** The whole way, for real: bridge, a browser with the built extension, and a Puter stand-in, all on loopback. */
export interface Rig {
  bridge: Bridge;
  browser: DrivenBrowser;
  /** The same, for what Chromium alone has. Throws where another is driven. */
  chromium: Chromium;
  puter: StandIn;
  /** Of the bridge. */
  stateDir: string;
  /** Waits until the bridge reports a connected, signed-in extension that reached Puter. */
  ready(): Promise<void>;
  stopBridge(): Promise<void>;
  /** Starts the bridge again on the same port, having stopped it where it runs. */
  restartBridge(): Promise<void>;
  close(): Promise<void>;
}

export interface RigOptions {
  /** Where the bridge listens; 0 takes any free port. */
  port?: number;
  /** The origins whose pages may call the bridge. */
  allowedOrigins?: readonly string[];
  /** The bridge lets in no extension that was not paired by a code. */
  requirePairing?: boolean;
  /** Pairs the extension by a code. Without it, where the bridge asks that of this browser. */
  paired?: boolean;
  /** Without it, the one that is tested. */
  browser?: TestedBrowser;
  /** Firefox installs the extension until it ends, which any Firefox does. */
  temporary?: boolean;
  /** Another build than ours. */
  extensionPath?: string;
  headed?: boolean;
  /** False leaves the person signed out. */
  signedIn?: boolean;
  /** How many calls at once the stand-in allows to one account. */
  concurrency?: number;
  /** What Puter says of the account, where it is not the free one. */
  account?: Record<string, unknown>;
  /** Told before each step of the set-up. */
  onStep?: (text: string) => void;
  /** Abandons the set-up. */
  signal?: AbortSignal;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const {
    port = 0,
    allowedOrigins = [],
    requirePairing = false,
    browser: name = testedBrowser,
    paired = requirePairing || name === 'firefox',
    extensionPath = builtExtension(name === 'firefox' ? 'firefox' : 'chrome'),
    temporary = false,
    headed = false,
    signedIn = true,
    concurrency,
    account = {},
    onStep = () => {},
    signal,
  } = options;
  const openBridge = (config: Pick<Config, 'port' | 'stateDir'>): Promise<Bridge> =>
    startBridge(
      { ...defaults, ...config, allowedOrigins, requirePairing },
      { onUnexpected: (error) => console.error(error) },
    );
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    onStep('Starting the bridge');
    // A folder of its own, so that nothing touches the one that the person's bridge keeps; it lasts over restarts.
    const { dir: stateDir, remove } = await createTemporaryFolder('state');
    closers.push(remove);
    let bridge = await openBridge({ port, stateDir });
    closers.push(() => bridge.close());
    onStep('Starting a Puter stand-in');
    const puter = await startStandIn(concurrency === undefined ? {} : { concurrency });
    closers.push(() => puter.close());
    puter.setAccount(account);
    signal?.throwIfAborted();
    onStep(`Starting ${name === 'firefox' ? 'Firefox' : 'Chromium'} with the extension`);
    const start = { extensionPath, headed, ...(signal && { signal }) };
    const chromium = name === 'chromium' ? await startChromium(start) : undefined;
    const browser = chromium ?? (await startFirefox({ ...start, temporary }));
    closers.push(() => browser.close());
    signal?.throwIfAborted();

    // It opens once after the installation, over whatever else is open by then.
    await (await browser.waitForPage(/\/welcome\.html$/)).close();
    const bridgePort = Number(new URL(bridge.url).port);
    onStep('Setting the addresses on the options page');
    const { apiOrigin, guiOrigin } = puter;
    await setOptions(browser, { bridgeAddress: bridge.url, apiOrigin, guiOrigin });
    signal?.throwIfAborted();
    if (paired) {
      onStep('Pairing by the code that the bridge shows');
      await pair(browser, () => bridge.pairing()?.code ?? null);
    }
    if (signedIn) {
      onStep('Signing in with the button in the popup');
      await signIn(browser);
    }
    // No tab, ever: what is left of the set-up is closed, so that whatever works then works without one.
    if (!headed) await browser.closeTabs();
    signal?.throwIfAborted();

    return {
      get bridge() {
        return bridge;
      },
      browser,
      get chromium() {
        return chromium ?? unavailable();
      },
      puter,
      stateDir,
      ready: () => until(() => bridge.status.read().puter.reachable === true && bridge.status.read().puter.signed_in),
      stopBridge: () => bridge.close(),
      async restartBridge() {
        await bridge.close();
        bridge = await openBridge({ port: bridgePort, stateDir });
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function unavailable(): never {
  throw new Error('Only Chromium has this: mark the case by onlyIn().');
}

/** Waits for a condition of this process's own; rejects when it takes longer than `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > timeoutMs)
      throw new Error(`Waited ${timeoutMs} ms in vain for: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** POST /api/process, as curl would. */
export async function ask(
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
