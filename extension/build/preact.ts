import { readFile } from 'node:fs/promises';

import type { Plugin } from 'esbuild';

/** Preact's one door for raw HTML, as its module has it. */
const door = /\((\w+)\.innerHTML=\w+\.__html\)/;
const check = /\|\|\w+\.__html==\w+\.innerHTML/;

/** Preact without it; null where it writes raw HTML in a way that is not known. */
export function takeOutRawHtml(source: string): string | null {
  const contents = source.replace(door, '0').replace(check, '');
  return contents.includes('innerHTML') ? null : contents;
}

/**
 * Our pages write no raw HTML, ever; so the code that would is taken out, and stores and linters need not wonder.
 * A Preact that is built in another way stops the build.
 */
export const withoutRawHtml: Plugin = {
  name: 'without-raw-html',
  setup(build) {
    build.onLoad({ filter: /[\\/]preact[\\/]dist[\\/]preact(\.module)?\.m?js$/ }, async ({ path }) => {
      const contents = takeOutRawHtml(await readFile(path, 'utf8'));
      if (contents === null) return { errors: [{ text: `${path} writes raw HTML in an unknown way` }] };
      return { contents, loader: 'js' };
    });
  },
};
