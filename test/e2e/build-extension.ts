import type { TestProject } from 'vitest/node';

import { build } from '../../extension/build/build.ts';
import { findBrowser } from '../browser/find-browser.ts';
import { chromium, firefox } from '../browser/makes.ts';

/** Once before all browser tests: what they load must be what the sources say, and a browser must be there. */
export default async function setup({ name }: TestProject): Promise<void> {
  await build();
  await findBrowser(name === 'chromium' ? chromium : firefox);
}
