import { realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, TargetType, type Browser, type CDPSession, type Protocol, type Target } from 'puppeteer-core';
import { startChromiumProcess, type ChromiumProcess } from './chromium-process.ts';
import { driveInTime, end, type DrivenBrowser, type StartOptions } from './driven-browser.ts';
import { findBrowser } from './find-browser.ts';
import * as makes from './makes.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';
import { prepareProfile } from './profile.ts';

const SETTLE_MS = 5_000;
const POLL_MS = 20;

export type TargetInfo = Protocol.Target.TargetInfo;

export interface ChromiumOptions extends StartOptions {
  /** Kept after close(); without it, a new profile that close() removes. */
  profileDir?: string;
  /** More flags for the browser. */
  flags?: readonly string[];
}

export interface Chromium extends DrivenBrowser {
  readonly extensionId: string;
  readonly browser: Browser;
  /** Every target the browser knows, debugged (`attached`) or not. */
  targets(): Promise<TargetInfo[]>;
  serviceWorker(): Promise<TargetInfo | undefined>;
  offscreen(): Promise<TargetInfo | undefined>;
  /** Whether the browser runs the extension: false after its process crashed, until someone reloads it. */
  isExtensionEnabled(): Promise<boolean>;
  /** Stops the service worker as the browser does when it idles; the next event starts it again. */
  stopServiceWorker(): Promise<void>;
  /** Crashes the renderer that holds the offscreen document, and with it the service worker and all our pages. */
  crashOffscreen(): Promise<void>;
  /** Presses Reload in chrome://extensions: all a person can do after a crash, short of restarting the browser. */
  reloadExtension(): Promise<void>;
  /** Ends the browser and starts it again with the same profile. On Linux the extension sees `onStartup`. */
  restart(): Promise<void>;
}

interface Running {
  process: ChromiumProcess;
  browser: Browser;
  cdp: CDPSession;
  extensionId: string;
}

/**
 * Starts a real Chromium with one unpacked extension.
 *
 * Puppeteer drives the tabs, since our own clicks and waits would only be a worse puppeteer; the process, its flags
 * and its pipe are ours. Nothing debugs the service worker, the offscreen document or its lanes: a debugger keeps a
 * worker alive for ever, and every test of its lifetime would lie. Puppeteer lets go of service workers by itself
 * (playwright does not) and of whatever `targetFilter` refuses.
 */
export async function startChromium(options: ChromiumOptions): Promise<Chromium> {
  const profile = options.profileDir === undefined ? await createTemporaryFolder('profile') : undefined;
  const profileDir = options.profileDir ?? profile?.dir ?? '';
  let running: Running;
  try {
    running = await launch(options, profileDir);
  } catch (error) {
    await profile?.remove();
    throw error;
  }

  const chromium: Chromium = {
    profileDir,
    get extensionId() {
      return running.extensionId;
    },
    get browser() {
      return running.browser;
    },
    get pid() {
      return running.process.pid;
    },
    get origin() {
      return `chrome-extension://${running.extensionId}`;
    },
    async openPage(path) {
      const page = await running.browser.newPage();
      await page.goto(`${chromium.origin}/${path}`);
      return page;
    },
    newPage: () => running.browser.newPage(),
    async waitForPage(url, { timeoutMs = 15_000, signal } = {}) {
      const isWanted = (target: Target) => target.type() === TargetType.PAGE && url.test(target.url());
      const target = await running.browser.waitForTarget(isWanted, { timeout: timeoutMs, ...(signal && { signal }) });
      const page = await target.page();
      if (!page) throw new Error(`${target.url()} closed before it could be driven.`);
      return page;
    },
    async targets() {
      const { targetInfos } = await running.cdp.send('Target.getTargets');
      return targetInfos;
    },
    async openTabs() {
      const tabs = (await chromium.targets()).filter(({ type }) => type === 'page');
      return tabs.map(({ url }) => url);
    },
    async closeTabs() {
      for (const page of await running.browser.pages()) await page.close();
    },
    serviceWorker: () => extensionTarget('service_worker'),
    offscreen: () => extensionTarget('background_page'),
    async isExtensionEnabled() {
      const { extensions } = await running.cdp.send('Extensions.getExtensions');
      return extensions.some(({ id, enabled }) => id === running.extensionId && enabled);
    },
    async stopServiceWorker() {
      const worker = await chromium.serviceWorker();
      if (!worker) return;
      const { targetId } = worker;
      await untilGone(worker, () => running.cdp.send('Target.closeTarget', { targetId }));
    },
    async crashOffscreen() {
      const offscreen = await chromium.offscreen();
      if (!offscreen) throw new Error('There is no offscreen document to crash.');
      const { sessionId } = await running.cdp.send('Target.attachToTarget', {
        targetId: offscreen.targetId,
        flatten: true,
      });
      const session = running.cdp.connection()?.session(sessionId);
      // Sent while the document still loads, the command is lost.
      await untilGone(offscreen, () => session?.send('Page.crash'));
    },
    async reloadExtension() {
      const page = await running.browser.newPage();
      await page.goto('chrome://extensions');
      await page.evaluate(`chrome.developerPrivate.reload('${running.extensionId}', { failQuietly: true })`);
      await page.close();
    },
    async restart() {
      await end(running);
      running = await launch({ ...options, signal: undefined }, profileDir);
    },
    stderr: () => running.process.stderr(),
    async close() {
      try {
        await end(running);
      } finally {
        await profile?.remove();
      }
    },
  };

  async function extensionTarget(type: string): Promise<TargetInfo | undefined> {
    const home = `${chromium.origin}/`;
    return (await chromium.targets()).find((target) => target.type === type && target.url.startsWith(home));
  }

  async function untilGone({ targetId, type }: TargetInfo, act: () => Promise<unknown> | undefined): Promise<void> {
    const deadline = Date.now() + SETTLE_MS;
    while ((await chromium.targets()).some((target) => target.targetId === targetId)) {
      if (Date.now() > deadline) throw new Error(`The ${type} was still there after ${SETTLE_MS} ms.`);
      // Not awaited: whoever would answer may be dead by then.
      act()?.catch(() => {});
      await delay(POLL_MS);
    }
  }

  return chromium;
}

async function launch({ extensionPath, headed, flags, signal }: Launch, profileDir: string): Promise<Running> {
  signal?.throwIfAborted();
  const kept = await prepareProfile(profileDir);
  const executable = await findBrowser(makes.chromium);
  const process = await startChromiumProcess({ executable, profileDir, headed: headed ?? false, flags: flags ?? [] });
  const options = { title: 'Chromium', extensionPath, timeoutMs: 30_000, signal };
  return driveInTime(process, async () => drive(process, await realpath(extensionPath), kept), options);
}

type Launch = Pick<ChromiumOptions, 'extensionPath' | 'headed' | 'flags'> & { signal?: AbortSignal | undefined };

async function drive(process: ChromiumProcess, extensionPath: string, kept: string[]): Promise<Running> {
  const browser = await connect({
    transport: process.transport,
    defaultViewport: null,
    targetFilter: (target) => DEBUGGED.has(target.type()),
  });
  const cdp = await browser.target().createCDPSession();
  const restored = kept.includes(extensionPath) ? await restoredExtension(cdp, extensionPath) : undefined;
  const extensionId = restored ?? (await browser.installExtension(extensionPath));
  return { process, browser, cdp, extensionId };
}

// A page hangs below a tab, so both must pass.
const DEBUGGED = new Set<string>(['browser', 'tab', 'page']);

/** The extension the profile brought back, or undefined if it did not within a few seconds. */
async function restoredExtension(cdp: CDPSession, extensionPath: string): Promise<string | undefined> {
  const deadline = Date.now() + SETTLE_MS;
  while (Date.now() < deadline) {
    const { extensions } = await cdp.send('Extensions.getExtensions');
    const extension = extensions.find(({ path, enabled }) => path === extensionPath && enabled);
    if (extension) return extension.id;
    await delay(POLL_MS);
  }
  return undefined;
}
