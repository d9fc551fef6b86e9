import { build } from '../../extension/build/build.ts';
import { findChrome } from '../browser/find-chrome.ts';

/** Once before all browser tests: what they load must be what the sources say, and a browser must be there. */
export default async function setup(): Promise<void> {
  await build();
  await findChrome();
}
