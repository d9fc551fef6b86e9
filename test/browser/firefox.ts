import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { connect, type Browser, type Page } from 'puppeteer-core';
import * as v from 'valibot';

import { createTemporaryFolder } from '../temporary-folder.ts';
import { driveInTime, end, type DrivenBrowser, type StartOptions } from './driven-browser.ts';
import { findBrowser } from './find-browser.ts';
import {
  installIntoProfile,
  prepareFirefoxProfile,
  startFirefoxProcess,
  type Addon,
  type FirefoxProcess,
} from './firefox-process.ts';
import * as makes from './makes.ts';
import { poll, withWaits } from './waits.ts';

export interface FirefoxOptions extends StartOptions {
  /**
   * As `about:debugging` installs it: gone with the browser, but taken unsigned by a release of Firefox, too. Without it
   * the extension lasts as one from the store does.
   */
  temporary?: boolean;
}

interface Running {
  process: FirefoxProcess;
  browser: Browser;
}

/**
 * Starts a stock Firefox with one unpacked extension, driven by puppeteer over WebDriver BiDi. Nothing debugs the event
 * page: the protocol does not even tell of it.
 */
export async function startFirefox(options: FirefoxOptions): Promise<DrivenBrowser> {
  const { extensionPath, temporary = false } = options;
  const profile = await createTemporaryFolder('profile');
  const profileDir = profile.dir;
  const addon: Addon = { id: await readId(extensionPath), uuid: randomUUID() };
  const origin = `moz-extension://${addon.uuid}`;
  let running: Running;
  try {
    await prepareFirefoxProfile(profileDir, addon);
    if (!temporary) await installIntoProfile(profileDir, extensionPath, addon.id);
    running = await launch(options, profileDir);
    if (temporary) await running.browser.installExtension(extensionPath);
  } catch (error) {
    await profile.remove();
    throw error;
  }

  const firefox: DrivenBrowser = {
    origin,
    profileDir,
    get pid() {
      return running.process.pid;
    },
    async openPage(file) {
      const page = await firefox.newPage();
      const url = `${origin}/${file}`;
      // It goes there, and never tells when it has arrived.
      page.goto(url, { timeout: 1 }).catch(() => {});
      await poll(() => page.evaluate((it) => location.href === it && document.readyState === 'complete', url));
      return page;
    },
    newPage: async () => withWaits(await running.browser.newPage()),
    async waitForPage(url, { timeoutMs = 15_000, signal } = {}) {
      const find = async () => (await listPages()).find((it) => url.test(it.url))?.page;
      return withWaits(await poll(find, { timeoutMs, signal }));
    },
    openTabs: async () => (await listTabs()).map((it) => it.url),
    async closeTabs() {
      for (const { page } of await listTabs()) await page.close();
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
        await profile.remove();
      }
    },
  };

  const listTabs = async () => (await listPages()).filter(({ url }) => url !== 'about:blank');

  /** Every page with its address, which the protocol does not tell of ours. */
  async function listPages(): Promise<{ page: Page; url: string }[]> {
    const pages = await running.browser.pages();
    const urls = await Promise.all(pages.map((page) => page.evaluate(() => location.href).catch(() => null)));
    // One that was closed is still listed, and one that is on its way has nothing to say yet.
    return pages.flatMap((page, index) => (urls[index] ? [{ page, url: urls[index] }] : []));
  }

  return firefox;
}

type Launch = Pick<FirefoxOptions, 'extensionPath' | 'headed'> & { signal?: AbortSignal | undefined };

async function launch({ extensionPath, headed = false, signal }: Launch, profileDir: string): Promise<Running> {
  signal?.throwIfAborted();
  const process = await startFirefoxProcess({ executable: await findBrowser(makes.firefox), profileDir, headed });
  const options = { title: 'Firefox', extensionPath, timeoutMs: 60_000, signal };
  return driveInTime(process, () => drive(process), options);
}

async function drive(process: FirefoxProcess): Promise<Running> {
  const browserWSEndpoint = await process.endpoint;
  const browser = await connect({ browserWSEndpoint, protocol: 'webDriverBiDi', defaultViewport: null });
  return { process, browser };
}

async function readId(extensionPath: string): Promise<string> {
  const schema = v.object({ browser_specific_settings: v.object({ gecko: v.object({ id: v.string() }) }) });
  const manifest: unknown = JSON.parse(await readFile(path.join(extensionPath, 'manifest.json'), 'utf8'));
  return v.parse(schema, manifest).browser_specific_settings.gecko.id;
}
