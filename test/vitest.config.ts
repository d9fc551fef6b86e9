import { fileURLToPath } from 'node:url';

import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

import type { TestedBrowser } from './browser/tested-browser.ts';
import { CatalogueReporter } from './catalogue/reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What runs in both browsers from one source, and what runs in this one alone. */
const inBrowser = (browser: TestedBrowser): TestProjectConfiguration => ({
  test: {
    name: browser,
    root,
    include: [`test/**/*.{browser,${browser}}.test.ts`],
    globalSetup: 'test/e2e/build-extension.ts',
    env: { TESTED_BROWSER: browser },
    // Each file starts browsers of its own, and two cores carry one at a time without stalling.
    fileParallelism: false,
    sequence: { groupOrder: 1 },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

export default defineConfig({
  test: {
    root,
    reporters: ['default', ['json', { outputFile: 'dist/test-report.json' }], new CatalogueReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          root,
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{browser,chromium,firefox,patient}.test.ts'],
          // They wait more than they work, so that two at a time take half as long also on two cores.
          maxWorkers: 2,
          // Some start processes, and a busy machine is no reason to fail.
          testTimeout: 30_000,
        },
      },
      inBrowser('chromium'),
      inBrowser('firefox'),
      {
        test: {
          name: 'patience',
          root,
          include: ['test/**/*.patient.test.ts'],
          // What it asks for begins with the run, beside all others, and comes last.
          globalSetup: ['test/e2e/build-extension.ts', 'test/e2e/patience.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 400_000,
        },
      },
    ],
  },
});
