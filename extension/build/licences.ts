import { readdir, readFile } from 'node:fs/promises';

import type { Metafile } from 'esbuild';
import * as v from 'valibot';

const packageSchema = v.object({ name: v.string(), version: v.string(), license: v.string() });
type Package = v.InferOutput<typeof packageSchema>;

/** What a package that ships no licence file must travel with all the same. Apache-2.0 also wants changes named. */
const withoutFile: Record<string, { licence: string; text: URL; notice: string }> = {
  '@heyputer/puter.js': {
    licence: 'Apache-2.0',
    text: new URL('apache-2.0.txt', import.meta.url),
    notice:
      'Copyright 2024-present Puter Technologies Inc.\n\n' +
      'Changed for Puter Bridge: modules that a call of puter.ai.chat() does not need (networking, dialogs, user\n' +
      'interface) are replaced by empty ones, puter.print() writes to the console, and a stream is read to its end\n' +
      'where the browser does not tell of the last progress.\n',
  },
};

/** The packages that the bundles hold parts of. */
export function listBundled(metafiles: (Metafile | undefined)[]): ReadonlySet<string> {
  const inputs = metafiles.flatMap((metafile) => Object.values(metafile?.outputs ?? {}));
  return new Set(
    inputs
      .flatMap(({ inputs: files }) => Object.entries(files))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
      .filter((name) => name !== undefined),
  );
}

/** Their licences, as one text that travels with them. */
export async function collectLicences(root: string, packages: ReadonlySet<string>): Promise<string> {
  const texts = await Promise.all([...packages].sort().map((name) => describe(`${root}node_modules/${name}`)));
  return `Puter Bridge holds parts of these packages:\n\n${texts.join('\n')}`;
}

async function describe(folder: string): Promise<string> {
  const its = v.parse(packageSchema, JSON.parse(await readFile(`${folder}/package.json`, 'utf8')));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? await textFor(its) : await readFile(`${folder}/${file}`, 'utf8');
  return `---- ${its.name} ${its.version} (${its.license}) ----\n\n${text}`;
}

async function textFor({ name, license }: Package): Promise<string> {
  const known = withoutFile[name];
  // Better no build than one that leaves out what its parts ask for.
  if (known?.licence !== license)
    throw new Error(`${name} (${license}) ships no licence text: add it to ${import.meta.url}`);
  return `${known.notice}\n${await readFile(known.text, 'utf8')}`;
}
