import type { ElementHandle, JSHandle, Page } from 'puppeteer-core';

const POLL_MS = 30;

/** Asks until there is something; what fails meanwhile, since a page is on its way, counts as nothing. */
export async function poll<T>(
  ask: () => Promise<T | null | undefined | false>,
  { timeoutMs = 15_000, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const start = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    let failure: unknown;
    try {
      const found = await ask();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      failure = error;
    }
    if (performance.now() - start > timeoutMs)
      throw new Error(`Waited ${timeoutMs} ms in vain for: ${String(ask)}`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * The page with waits of our own: in Firefox puppeteer's are made of text by `Function(…)` within the page, and the
 * policy of our pages forbids that.
 */
export function withWaits(page: Page): Page {
  const find = (selector: string) => poll<ElementHandle>(() => page.$(selector));
  const canPress = (it: Element) => !(it as HTMLButtonElement).disabled && it.getClientRects().length > 0;
  const findUsable = async (selector: string) =>
    poll(async () => {
      const found = await page.$(selector);
      return (await found?.evaluate(canPress)) && found;
    });
  const waits: Record<string, unknown> = {
    waitForSelector: find,
    waitForFunction: (
      look: (...given: unknown[]) => unknown,
      { timeout }: { timeout?: number } = {},
      ...given: unknown[]
    ) =>
      poll<JSHandle>(
        async () => {
          const handle = await page.evaluateHandle(look, ...given);
          return (await handle.evaluate((it) => Boolean(it))) && handle;
        },
        { timeoutMs: timeout ?? 15_000 },
      ),
    locator: (selector: string) => ({
      click: async () => (await findUsable(selector)).click(),
      async fill(text: string) {
        const field = await findUsable(selector);
        await field.evaluate((it) => (it as HTMLInputElement).select());
        await page.keyboard.press('Backspace');
        await field.type(text);
      },
    }),
    async reload() {
      await page.evaluate(() => {
        document.documentElement.dataset['isOld'] = '';
        location.reload();
      });
      const isNew = () => document.readyState === 'complete' && !('isOld' in document.documentElement.dataset);
      await poll(() => page.evaluate(isNew));
    },
    setViewport: (viewport: Parameters<Page['setViewport']>[0]) =>
      // Sets the size first, and then an orientation, of which not every Firefox knows.
      setViewport.call(page, viewport).catch(() => {}),
  };
  const { setViewport } = page;
  return Object.assign(page, waits);
}
