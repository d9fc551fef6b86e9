export type TestedBrowser = 'chromium' | 'firefox';

/** Whose run this is: every browser test runs once in each, from one source. The project in vitest.config.ts says it. */
export const testedBrowser: TestedBrowser = process.env['TESTED_BROWSER'] === 'firefox' ? 'firefox' : 'chromium';

/** Declares cases that one browser alone can run; the reason is for whoever reads them. */
export function onlyIn(browser: TestedBrowser, _reason: string, declare: () => void): void {
  if (testedBrowser === browser) declare();
}
