import type { Page } from 'puppeteer-core';

import { startRig } from '../../browser/rig.ts';
import type { Bench } from '../bench.ts';

/** How long the popup takes to show its content, beside the plainest page of the same extension. */
export const popup: Bench = {
  name: 'popup',
  about: 'the popup in a real browser: from the start of loading to the first painted text',
  async round({ signal, onEnd }, note) {
    const rig = await startRig({ signal });
    onEnd(() => rig.close());
    await rig.ready();
    const plain = await rig.chromium.openPage('LICENCES.txt');
    const popup = await rig.chromium.openPage('popup.html');
    for (let time = 0; time < 3; time += 1) {
      note('first content (ms)', 'plain page', await firstContent(plain));
      note('first content (ms)', 'popup', await firstContent(popup));
    }
  },
};

/** Loads the page anew; milliseconds from the start of that to the first painted text. */
async function firstContent(page: Page): Promise<number> {
  await page.bringToFront();
  await page.reload();
  const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime, {
    polling: 20,
  });
  return Math.round((await paint.jsonValue()) ?? Number.NaN);
}
