import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { inTheme, themes, views } from '../screenshots/views.ts';

/** axe-core finds nothing to complain about, on every page, in every state, in both themes. */

let rig: Rig;
let axe: string;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
afterAll(() => rig?.close());

declare const window: { axe: { run(): Promise<AxeResults> } };

async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, since the pages let no script in that is not theirs.
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

it.each(views)('$name', async ({ open, leave }) => {
  const page = await open(rig);
  onTestFinished(() => leave(rig, page));
  for (const theme of themes) {
    await inTheme(page, theme);
    expect({ theme, found: await violations(page) }).toEqual({ theme, found: [] });
  }
});

it.each([
  ['popup', 'Puter Bridge'],
  ['options', 'Puter Bridge: options'],
  ['welcome', 'Welcome to Puter Bridge'],
])('the %s says in its title which page it is', async (name, title) => {
  const page = await rig.browser.openPage(`${name}.html`);
  await page.waitForSelector('h1');
  expect(await page.title()).toBe(title);
  await page.close();
});

it('would be told of a violation', async () => {
  const page = await rig.browser.openPage('popup.html');
  await page.waitForSelector('#light');
  await page.$eval('#pause', (it) => it.replaceChildren());
  expect(await violations(page)).toEqual([expect.stringContaining('button-name')]);
  await page.close();
  // And the rig is as it was.
  await until(async () => (await ask(rig.bridge.url, { prompt: 'hi' })).status === 200);
});
