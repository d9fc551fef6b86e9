import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

import { CatalogueReporter } from './catalogue/reporter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

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
          exclude: ['test/**/*.browser.test.ts'],
          // Some start processes, and a busy machine is no reason to fail.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          root,
          include: ['test/**/*.browser.test.ts'],
          globalSetup: 'test/e2e/build-extension.ts',
          // Each file starts browsers of its own, and two cores carry one at a time without stalling.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
