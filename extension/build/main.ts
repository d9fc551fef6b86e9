/** `npm run build`: the bridge, the script of its page, and the extension in dist/extension-chrome. */

import { build } from './build.ts';
import { bundleBridge } from './bundle-bridge.ts';

const [{ extensionPath }, { bridgePath }] = await Promise.all([build(), bundleBridge()]);
console.log(`Built ${extensionPath} and ${bridgePath}`);
