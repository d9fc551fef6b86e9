import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';
import * as v from 'valibot';

import { describeMaterials } from './bill-of-materials.ts';
import { collectLicences, listBundled } from './licences.ts';
import { withoutRawHtml } from './preact.ts';
import { replaceUnusedModules } from './puter-js.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const entries = {
  'service-worker': 'extension/background/service-worker.ts',
  offscreen: 'extension/offscreen/offscreen.ts',
  popup: 'extension/popup/popup.tsx',
  options: 'extension/options/options.tsx',
  welcome: 'extension/welcome/welcome.tsx',
};

const files = [
  'extension/offscreen/offscreen.html',
  'extension/popup/popup.html',
  'extension/popup/popup.css',
  'extension/options/options.html',
  'extension/options/options.css',
  'extension/welcome/welcome.html',
  'extension/welcome/welcome.css',
  'shared/style/style.css',
];

/**
 * Builds everything that browsers load into the folder `target`, and beside it the bill of what a release is made of.
 * Takes about half a second.
 */
export async function build(target = `${root}dist`): Promise<{ extensionPath: string }> {
  const extensionPath = `${target}/extension-chrome`;
  await rm(extensionPath, { recursive: true, force: true });
  await mkdir(extensionPath, { recursive: true });

  const common: esbuild.BuildOptions = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    target: 'chrome126',
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  };
  const [pages, lane] = await Promise.all([
    esbuild.build({
      ...common,
      entryPoints: entries,
      outdir: extensionPath,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      plugins: [withoutRawHtml],
    }),
    esbuild.build({
      ...common,
      entryPoints: { lane: 'extension/lanes/lane.ts' },
      outdir: extensionPath,
      // A classic worker starts sooner than a module, and puter.js is most of what a lane loads.
      format: 'iife',
      minify: true,
      plugins: [replaceUnusedModules],
    }),
    esbuild.build({ ...common, entryPoints: { page: 'bridge/page/browser/live.ts' }, outdir: `${target}/bridge` }),
  ]);

  const bundled = listBundled([pages.metafile, lane.metafile]);
  const licences = await collectLicences(root, bundled);
  const lock: unknown = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8'));
  const materials = describeMaterials(lock, bundled);
  await Promise.all([
    writeFile(`${extensionPath}/manifest.json`, await stampManifest()),
    writeFile(`${extensionPath}/LICENCES.txt`, licences),
    writeFile(`${target}/sbom.cdx.json`, `${JSON.stringify(materials, null, 2)}\n`),
    cp(`${root}shared/locales`, `${extensionPath}/_locales`, { recursive: true }),
    cp(`${root}extension/icons`, `${extensionPath}/icons`, { recursive: true }),
    ...files.map((file) => cp(`${root}${file}`, `${extensionPath}/${file.split('/').at(-1)}`)),
  ]);
  return { extensionPath };
}

/** The manifest for Chrome, with the version of the package. */
async function stampManifest(): Promise<string> {
  const manifest = v.parse(v.looseObject({}), JSON.parse(await readFile(`${root}manifest.json`, 'utf8')));
  const { version } = v.parse(
    v.object({ version: v.string() }),
    JSON.parse(await readFile(`${root}package.json`, 'utf8')),
  );
  return `${JSON.stringify({ ...manifest, version }, null, 2)}\n`;
}
