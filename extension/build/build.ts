import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';
import * as v from 'valibot';

import { describeMaterials } from './bill-of-materials.ts';
import { collectLicences, listBundled } from './licences.ts';
import { stampManifest, type BrowserName } from './manifest.ts';
import { withoutRawHtml } from './preact.ts';
import { replaceUnusedModules } from './puter-js.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} satisfies esbuild.BuildOptions;

const pages = ['popup', 'options', 'welcome'];

/** What each browser has of its own. */
const differences = {
  chrome: {
    target: 'chrome126',
    entries: {
      'service-worker': 'extension/background/service-worker.ts',
      offscreen: 'extension/offscreen/offscreen.ts',
    },
    files: ['extension/offscreen/offscreen.html'],
  },
  firefox: { target: 'firefox140', entries: { 'event-page': 'extension/background/event-page.ts' }, files: [] },
};

/**
 * Builds everything that browsers load into folders of `target`, and beside it the bill of what a release is made of.
 * Takes about a second.
 */
export async function build(target = `${root}dist`): Promise<Record<BrowserName, string>> {
  const [chrome, firefox] = await Promise.all([
    buildExtension('chrome', target),
    buildExtension('firefox', target),
    esbuild.build({
      ...common,
      target: ['chrome126', 'firefox140'],
      entryPoints: { page: 'bridge/page/browser/live.ts' },
      outdir: `${target}/bridge`,
    }),
  ]);
  const lock: unknown = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8'));
  const materials = describeMaterials(lock, new Set([...chrome.bundled, ...firefox.bundled]));
  await writeFile(`${target}/sbom.cdx.json`, `${JSON.stringify(materials, null, 2)}\n`);
  return { chrome: chrome.folder, firefox: firefox.folder };
}

/** The extension for one browser, and the packages that it holds parts of. */
async function buildExtension(
  browser: BrowserName,
  target: string,
): Promise<{ folder: string; bundled: ReadonlySet<string> }> {
  const own = differences[browser];
  const folder = `${target}/extension-${browser}`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const options = { ...common, minify: true, target: own.target, outdir: folder };
  const results = await Promise.all([
    // What only one page needs is in all: one file is there sooner than one and those that it imports.
    esbuild.build({
      ...options,
      entryPoints: { page: 'extension/page.tsx' },
      format: 'iife',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      plugins: [withoutRawHtml],
    }),
    // What Chrome's two have in common is in the package once.
    esbuild.build({ ...options, entryPoints: own.entries, splitting: true }),
    // A classic worker starts sooner than a module.
    esbuild.build({
      ...options,
      entryPoints: { lane: 'extension/lanes/lane.ts' },
      format: 'iife',
      plugins: [replaceUnusedModules],
    }),
  ]);
  const bundled = listBundled(results.map(({ metafile }) => metafile));
  await Promise.all([
    writeFile(`${folder}/manifest.json`, await readManifest(browser)),
    writeFile(`${folder}/LICENCES.txt`, await collectLicences(root, bundled)),
    cp(`${root}shared/locales`, `${folder}/_locales`, { recursive: true }),
    cp(`${root}extension/icons`, `${folder}/icons`, { recursive: true }),
    ...pages.map((page) => writeFile(`${folder}/${page}.html`, readPage(page))),
    ...own.files.map((file) => cp(`${root}${file}`, `${folder}/${file.split('/').at(-1)}`)),
  ]);
  return { folder, bundled };
}

/** With its style sheets in it, which are files that the first paint would wait for. */
function readPage(page: string): string {
  const path = `${root}extension/${page}/${page}.html`;
  return readFileSync(path, 'utf8').replaceAll(
    /<link rel="stylesheet" href="(.+)" \/>/g,
    (_, sheet: string) => `<style>\n${readFileSync(join(dirname(path), sheet), 'utf8')}</style>`,
  );
}

async function readManifest(browser: BrowserName): Promise<string> {
  const { version } = v.parse(
    v.object({ version: v.string() }),
    JSON.parse(await readFile(`${root}package.json`, 'utf8')),
  );
  return stampManifest(await readFile(`${root}manifest.json`, 'utf8'), browser, version);
}
