import type { Page } from 'puppeteer-core';

import type { DrivenBrowser } from './driven-browser.ts';

/** What a person does with the extension, done the way a person does it: on its own pages, with its own buttons. */

/** Fills the options in, waits until each is saved, and closes the page again. Rejects with what is wrong with one. */
export async function setOptions(browser: DrivenBrowser, values: Record<string, string | number>): Promise<void> {
  const page = await browser.openPage('options.html');
  for (const [id, value] of Object.entries(values)) await setOption(page, id, String(value));
  await page.close();
}

async function setOption(page: Page, id: string, value: string): Promise<void> {
  const field = await page.waitForSelector(`#${id}`);
  const [tag, before] = (await field?.evaluate((it) => [it.tagName, (it as HTMLInputElement).value])) ?? [];
  if (before === value) return;
  if (tag === 'SELECT') {
    await page.select(`#${id}`, value);
  } else {
    await page.bringToFront();
    await field?.focus();
    await field?.evaluate((it) => (it as HTMLInputElement).select());
    await page.keyboard.press('Backspace');
    await page.keyboard.type(value);
    await field?.evaluate((it) => (it as HTMLInputElement).blur());
  }
  const outcome = await waitForText(page, `.field:has(#${id}) :is([role=status], [role=alert])`, /./);
  if (!outcome.startsWith('Saved')) throw new Error(`The options page did not save ${id}: ${outcome}`);
}

/** Presses the sign-in button of the popup and allows it on Puter's page. */
export async function signIn(browser: DrivenBrowser): Promise<void> {
  const popup = await browser.openPage('popup.html');
  await popup.locator('.sign-in .primary').click();
  await approve(await browser.waitForPage(/action=authme/));
  await waitForText(popup, '#hop-session', /Signed in/);
  await popup.close();
}

/**
 * Presses the button that gives the token. Not with the mouse: a new window that still finds its size takes the page
 * along, and a click may land beside the button (measured: 1 in 20 first sign-ins, on a busy machine).
 */
export async function approve(page: Page): Promise<void> {
  // What the button does is there once the page is whole.
  const isWhole = () => document.readyState === 'complete' && document.querySelector('#approve') !== null;
  await page.waitForFunction(isWhole, { polling: 50 });
  await page.$eval('#approve', (it) => (it as HTMLButtonElement).click());
}

/** Types the code that the bridge shows into the popup. */
export async function pair(browser: DrivenBrowser, readCode: () => string | null): Promise<void> {
  const popup = await browser.openPage('popup.html');
  await popup.locator('#pairing-code').fill((await waitForCode(readCode)) ?? '');
  await popup.keyboard.press('Enter');
  await waitForText(popup, '#hop-bridge', /Connected/);
  await popup.close();
}

/** A person looks at the bridge until it shows one. */
async function waitForCode(readCode: () => string | null): Promise<string | null> {
  const start = performance.now();
  for (let code = readCode(); performance.now() - start < 10_000; code = readCode()) {
    if (code !== null) return code;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return null;
}

/** The badge on the toolbar, and the tooltip behind it, read without looking at the state as a page of ours does. */
export async function readBadge(browser: DrivenBrowser): Promise<{ text: string; title: string }> {
  const page = await browser.openPage('LICENCES.txt');
  const [text, title] = await page.evaluate(() =>
    Promise.all([chrome.action.getBadgeText({}), chrome.action.getTitle({})]),
  );
  await page.close();
  return { text, title };
}

/** Waits until one of the elements says something that matches; resolves with it. */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const text = await page.waitForFunction(
    (css, source) => {
      const texts = [...document.querySelectorAll(css)].map((it) => it.textContent);
      return texts.find((text) => new RegExp(source).test(text)) ?? null;
    },
    // Not by animation frames: a tab in the background has none.
    { polling: 50, timeout: 15_000 },
    selector,
    pattern.source,
  );
  return (await text.jsonValue()) ?? '';
}
