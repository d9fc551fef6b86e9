import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

import { collectLicences, listBundled } from './licences.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const entries = {
  main: 'bridge/main.ts',
  'token-worker': 'bridge/chat/token-worker.ts',
  'schema-worker': 'bridge/chat/schema-worker.ts',
};

/**
 * Builds what `npm start` runs into the folder `bridge` of `target`: one file that is read at once instead of hundreds
 * that are looked for, and a file for each of its threads. `plugins` go first.
 */
export async function bundleBridge(
  target = `${root}dist`,
  plugins: readonly esbuild.Plugin[] = [],
): Promise<{ bridgePath: string }> {
  const bridgePath = `${target}/bridge`;
  await mkdir(bridgePath, { recursive: true });
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: bridgePath,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // Packages written as CommonJS ask for Node's own modules by it.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [...plugins, withFilesFrom(bridgePath), withoutUnused, withRequiredHttp],
  });
  await writeFile(`${bridgePath}/LICENCES.txt`, await collectLicences(root, listBundled([metafile])));
  return { bridgePath };
}

/** What a source finds beside itself, a bundle finds, too: a thread as the file built from it, all else where it is. */
const withFilesFrom = (bridgePath: string): esbuild.Plugin => ({
  name: 'with-files',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]bridge[/\\].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace(/new URL\('([^']+)', import\.meta\.url\)/g, (_, name: string) => {
        const file = resolve(dirname(path), name);
        const found = name.endsWith('.ts') ? basename(file, '.ts') + '.js' : relative(bridgePath, file);
        return `new URL(${JSON.stringify(found.replaceAll('\\', '/'))}, import.meta.url)`;
      });
      return { contents, loader: 'ts' };
    });
  },
});

/**
 * What is read at the start, and never used. Of express: tables for every script and every media type on earth, though
 * bodies and queries are read in bridge/http, where each answer says, too, of which type it is; and a log of its own,
 * which several times in each request is asked to write, and does not. Of ws: TLS, for its client.
 */
const withoutUnused: esbuild.Plugin = {
  name: 'without-unused',
  setup({ onResolve, onLoad }) {
    const filter = /[/\\]node_modules[/\\](body-parser|mime-types|qs)[/\\](lib[/\\])?index\.js$/;
    onLoad({ filter }, () => ({ contents: '' }));
    onLoad({ filter: /[/\\]node_modules[/\\]debug[/\\]src[/\\]index\.js$/ }, () => ({
      contents: 'module.exports = () => () => {};',
    }));
    onResolve({ filter: /^(https|tls)$/ }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: '' }));
  },
};

/**
 * An `import` of node:http reads each of its exports, and one of them loads all that `fetch` is made of, which takes an
 * eighth of the start. `require` leaves it where it is.
 */
const withRequiredHttp: esbuild.Plugin = {
  name: 'with-required-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'required' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};
