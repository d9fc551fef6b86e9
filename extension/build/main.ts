/** `npm run build`: the extension in dist/extension-chrome and the script of the bridge's own page. */

import { build } from './build.ts';

const { extensionPath } = await build();
console.log(`Built ${extensionPath}`);
