import type { Page } from 'puppeteer-core';

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

export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
