import type { TestProject } from 'vitest/node';

import { build } from '../../extension/build/build.ts';
import { findChrome } from '../browser/find-chrome.ts';
import { findFirefox } from '../browser/find-firefox.ts';

/** Once before all browser tests: what they load must be what the sources say, and a browser must be there. */
export default async function setup({ name }: TestProject): Promise<void> {
  await build();
  await (name === 'chromium' ? findChrome() : findFirefox());
}
