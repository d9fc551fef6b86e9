/** `npm run screenshots`: every page in every state and theme, into dist/screenshots; README's own are replaced. */

import { copyFile, mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { Page } from 'puppeteer-core';

import { build } from '../../extension/build/build.ts';
import { startRig } from '../browser/rig.ts';
import { inTheme, themes, views } from './views.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = `${root}dist/screenshots`;
const forReadme = `${root}.github/screenshots`;
const inReadme = new Set(['popup-ready', 'popup-processing', 'popup-no-bridge', 'welcome-done']);

await build();
await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await mkdir(forReadme, { recursive: true });
// The port that the README speaks of, so that the pictures do.
const rig = await startRig({ port: 5001, onStep: (step) => console.log(step) });
try {
  await rig.ready();
  for (const { name, open, leave } of views) {
    const page = await open(rig);
    await growToContent(page);
    for (const theme of themes) {
      await inTheme(page, theme);
      const file = `${name}-${theme}.png`;
      await page.screenshot({ path: `${target}/${file}` });
      if (inReadme.has(name)) await copyFile(`${target}/${file}`, `${forReadme}/${file}`);
      console.log(`  ${file}`);
    }
    await leave(rig, page);
  }
} finally {
  await rig.close();
}
console.log(`Written to ${target}`);

/** A page that scrolls would lose the width of its scroll bar in the picture. */
async function growToContent(page: Page): Promise<void> {
  const viewport = page.viewport();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (viewport) await page.setViewport({ ...viewport, height: Math.max(viewport.height, height) });
}
