import { readdir, readFile } from 'node:fs/promises';

import type { Metafile } from 'esbuild';

/** The licences of every package that the bundles hold, as one text that travels with them. */
export async function collectLicences(root: string, metafiles: (Metafile | undefined)[]): Promise<string> {
  const inputs = metafiles.flatMap((metafile) => Object.values(metafile?.outputs ?? {}));
  const packages = new Set(
    inputs
      .flatMap(({ inputs: files }) => Object.entries(files))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
      .filter((name) => name !== undefined),
  );
  const texts = await Promise.all([...packages].sort().map((name) => describe(`${root}node_modules/${name}`)));
  return `Puter Bridge holds parts of these packages:\n\n${texts.join('\n')}`;
}

async function describe(folder: string): Promise<string> {
  const { name, version, license, author } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    author?: string | { name: string };
  };
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const by = typeof author === 'string' ? author : author?.name;
  const text = file === undefined ? `Licensed under ${license}, by ${by ?? 'its authors'}.\n` : await readFile(`${folder}/${file}`, 'utf8');
  return `---- ${name} ${version} (${license}) ----\n\n${text}`;
}
