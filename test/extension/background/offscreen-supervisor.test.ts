import { setImmediate as nextTurn } from 'node:timers/promises';

import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { superviseOffscreen } from '../../../extension/background/offscreen-supervisor.ts';

/** A Chrome that has one offscreen page at most, and makes it a turn later. */
function fakeChrome() {
  const listeners: ((event: object) => void)[] = [];
  const event = { addListener: (listener: (event: object) => void) => listeners.push(listener) };
  const pages: string[] = [];
  const chrome = {
    created: 0,
    pages,
    isRefusing: false,
    /** Install, start and alarm all at once. */
    happen: () => listeners.forEach((listener) => listener({ name: 'supervise' })),
    runtime: {
      ContextType: { OFFSCREEN_DOCUMENT: 'OFFSCREEN_DOCUMENT' },
      onInstalled: event,
      onStartup: event,
      getContexts: async () => pages,
    },
    alarms: { onAlarm: event, get: async () => ({}) },
    offscreen: {
      Reason: { WORKERS: 'WORKERS' },
      async createDocument({ url }: { url: string }) {
        chrome.created += 1;
        await nextTurn();
        if (chrome.isRefusing) throw new Error('Only a single offscreen document may be created.');
        pages.push(url);
      },
    },
  };
  vi.stubGlobal('chrome', chrome);
  onTestFinished(() => void vi.unstubAllGlobals());
  return chrome;
}

let browser: ReturnType<typeof fakeChrome>;
beforeEach(() => {
  browser = fakeChrome();
});

it('makes the page as soon as the worker starts: a reload or an enabling is told by no event', async () => {
  superviseOffscreen();
  await expect.poll(() => browser.pages).toEqual(['offscreen.html']);
});

it('makes one page, whatever asks for it at once', async () => {
  const { ensure } = superviseOffscreen();
  browser.happen();
  await ensure();
  expect([browser.created, browser.pages]).toEqual([1, ['offscreen.html']]);
});

it('leaves a page alone that is there, and makes one anew that is gone', async () => {
  await superviseOffscreen().ensure();
  browser.happen();
  await nextTurn();
  expect(browser.created).toBe(1);
  browser.pages.length = 0;
  browser.happen();
  await expect.poll(() => browser.pages).toEqual(['offscreen.html']);
});

it('where Chrome refuses a page it leaves no rejection behind, and tries again with the next alarm', async () => {
  browser.isRefusing = true;
  // Vitest fails a run in which a rejection is left unhandled.
  const { ensure } = superviseOffscreen();
  browser.happen();
  await ensure();
  browser.isRefusing = false;
  browser.happen();
  await expect.poll(() => browser.pages).toEqual(['offscreen.html']);
});
