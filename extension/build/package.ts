/** `npm run package`: what the stores take, in dist/packages. */

import { fileURLToPath } from 'node:url';

import { packForStores } from './store-packages.ts';

const target = fileURLToPath(new URL('../../dist/packages', import.meta.url));
for (const file of await packForStores(target)) console.log(`Packed ${file}`);
