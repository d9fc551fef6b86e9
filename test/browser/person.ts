import type { Page } from 'puppeteer-core';

import type { Chromium } from './chromium.ts';

/** What a person does with the extension, done the way a person does it: on its own pages, with its own buttons. */

/** Fills the options page in, saves, and closes it again. Rejects with what the page says where it does not save. */
export async function setOptions(chromium: Chromium, values: Record<string, string | number>): Promise<void> {
  const page = await chromium.openPage('options.html');
  // The page fills its fields once it knows the settings; typing before that would be overwritten.
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('#bridgePort')?.value !== '');
  for (const [id, value] of Object.entries(values)) {
    await page.locator(`#${id}`).fill(String(value));
  }
  await page.locator('button[type=submit]').click();
  const outcome = await waitForText(page, '#saved', /./);
  if (outcome !== 'Saved.') {
    const problems = await page.$$eval('.error:not([hidden])', (lines) => lines.map((line) => line.textContent));
    throw new Error(`The options page did not save: ${problems.join(' ')}`);
  }
  await page.close();
}

/** Presses the sign-in button of the popup and allows it on Puter's page. */
export async function signIn(chromium: Chromium, guiOrigin: string): Promise<void> {
  const popup = await chromium.openPage('popup.html');
  await popup.locator('#sign-in').click();
  const window = await chromium.waitForPage(new RegExp(`^${guiOrigin.replaceAll('.', '\\.')}/`));
  await window.locator('#approve').click();
  await waitForText(popup, '#account', /^(?!Not signed in|…)/);
  await popup.close();
}

/** Waits until an element says something that matches; resolves with it. */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const text = await page.waitForFunction(
    (css, source) => {
      const found = document.querySelector(css)?.textContent ?? '';
      return new RegExp(source).test(found) ? found : null;
    },
    {},
    selector,
    pattern.source,
  );
  return (await text.jsonValue()) ?? '';
}
