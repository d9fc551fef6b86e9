/** `npm run bench`: how long the popup takes to show its content, beside the plainest page of the same extension. */

import type { Page } from 'puppeteer-core';

import { build } from '../../extension/build/build.ts';
import { startRig } from '../browser/rig.ts';

const rounds = 15;
const mustMs = 100;

await build();
const rig = await startRig({ onStep: (step) => console.log(step) });
try {
  await rig.ready();
  const plainPage = await rig.chromium.openPage('LICENCES.txt');
  const popupPage = await rig.chromium.openPage('popup.html');
  const plain: number[] = [];
  const popup: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Alternately, since the machine may be busier at one time than at another.
    plain.push(await firstContent(plainPage));
    popup.push(await firstContent(popupPage));
    console.log(`round ${round}/${rounds}: plain ${plain.at(-1)} ms, popup ${popup.at(-1)} ms`);
  }
  const ratio = median(popup) / median(plain);
  console.log(`\nFirst content, median (fastest–slowest) of ${rounds}:`);
  console.log(`  a plain text page   ${summary(plain)}`);
  console.log(`  the popup           ${summary(popup)}, ${ratio.toFixed(2)} × plain; must be ≤ ${mustMs} ms`);
  if (median(popup) > mustMs) process.exitCode = 1;
} finally {
  await rig.close();
}

/** Loads the page anew; milliseconds from the start of that to the first painted text. */
async function firstContent(page: Page): Promise<number> {
  await page.bringToFront();
  await page.reload();
  const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime, {
    polling: 20,
  });
  return Math.round((await paint.jsonValue()) ?? Number.NaN);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function summary(values: number[]): string {
  return `${median(values)} ms (${Math.min(...values)}–${Math.max(...values)})`;
}
