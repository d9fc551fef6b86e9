import type { Browser, Page } from 'puppeteer-core';

import type { BrowserProcess } from './browser-process.ts';

export interface WaitOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A real browser with our extension in it, of whatever make. */
export interface DrivenBrowser {
  /** Of the extension. */
  readonly origin: string;
  readonly pid: number;
  readonly profileDir: string;
  /** Opens a page of the extension, such as `options.html`, in a new tab. */
  openPage(path: string): Promise<Page>;
  /** Opens an empty tab, for pages of the web. */
  newPage(): Promise<Page>;
  /** Waits for a tab or window whose address matches, such as the sign-in window. */
  waitForPage(url: RegExp, options?: WaitOptions): Promise<Page>;
  /** The addresses of all tabs but empty ones. */
  openTabs(): Promise<string[]>;
  /** Closes every tab; one that is empty may have to stay. */
  closeTabs(): Promise<void>;
  /** Ends the browser and starts it again with the same profile. */
  restart(): Promise<void>;
  /** The last lines of the browser's stderr. */
  stderr(): string;
  /** Ends every process of the browser and removes the profile, unless the caller brought it. */
  close(): Promise<void>;
}

/** What every driver needs to start. */
export interface StartOptions {
  /** The unpacked extension: a folder with a manifest.json. */
  extensionPath: string;
  headed?: boolean;
  /** Abandons the start; afterwards it has no effect. */
  signal?: AbortSignal;
}

/** Takes what `drive` makes of a browser that was just started. Where it fails, or takes too long, the browser ends. */
export async function driveInTime<T>(
  process: BrowserProcess,
  drive: () => Promise<T>,
  options: { title: string; extensionPath: string; timeoutMs: number; signal: AbortSignal | undefined },
): Promise<T> {
  const { title, extensionPath, timeoutMs, signal } = options;
  const deadline = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
  try {
    return await Promise.race([
      drive(),
      process.exited.then(() => Promise.reject(new Error('The browser ended.'))),
      aborted(deadline),
    ]);
  } catch (error) {
    process.kill();
    await process.close();
    signal?.throwIfAborted();
    throw new Error(`${title} did not start with ${extensionPath}. It said:\n${process.stderr()}`, { cause: error });
  }
}

export async function end({ browser, process }: { browser: Browser; process: BrowserProcess }): Promise<void> {
  // What it is driven by may be gone already, if the browser crashed or a signal killed it.
  await browser.close().catch(() => {});
  await process.close();
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
