/** The script of every page: `data-page` of its body says which one it is. */

import { startPage } from './components/follow.tsx';
import { Options } from './options/options.tsx';
import { Popup } from './popup/popup.tsx';
import { Welcome } from './welcome/welcome.tsx';

const pages: Readonly<Record<string, typeof Popup>> = { popup: Popup, options: Options, welcome: Welcome };

const name = document.body.dataset['page'] ?? '';
const page = pages[name];
if (!page) throw new Error(`There is no page ${name}.`);
startPage(page);
