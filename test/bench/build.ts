import { rm } from 'node:fs/promises';

import * as esbuild from 'esbuild';

import { build } from '../../extension/build/build.ts';
import { bundleBridge } from '../../extension/build/bundle-bridge.ts';
import { root } from './bed.ts';

/** Builds what is measured as it ships, and beside it what measures it, into dist/bench. */
export async function buildBench(): Promise<void> {
  await Promise.all([build(), bundleBridge(), bundleBridge(`${root}dist/bench/without-journal`, [withoutJournal])]);
  await rm(`${root}dist/bench/contestants`, { recursive: true, force: true });
  const common: esbuild.BuildOptions = {
    absWorkingDir: root,
    outbase: 'test/bench',
    outdir: 'dist/bench',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'warning',
  };
  await Promise.all([
    esbuild.build({
      ...common,
      entryPoints: ['bare', 'seed', 'fake-extension', 'openai-stub'].map((name) => `test/bench/contestants/${name}.ts`),
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    }),
    esbuild.build({
      ...common,
      entryPoints: ['callers', 'streams', 'held'].map((name) => `test/bench/load/${name}.ts`),
      packages: 'external',
    }),
  ]);
}

const withoutJournal: esbuild.Plugin = {
  name: 'without-journal',
  setup({ onResolve }) {
    onResolve({ filter: /\/journal\.ts$/ }, ({ importer }) =>
      /[/\\]test[/\\]/.test(importer) ? undefined : { path: `${root}test/bench/contestants/no-journal.ts` },
    );
  },
};
