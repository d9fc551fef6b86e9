/** `npm run build`: the bridge, the script of its page, and the extension in dist/extension-chrome and -firefox. */

import { build } from './build.ts';
import { bundleBridge } from './bundle-bridge.ts';

const [folders, { bridgePath }] = await Promise.all([build(), bundleBridge()]);
for (const path of [...Object.values(folders), bridgePath]) console.log(`Built ${path}`);
