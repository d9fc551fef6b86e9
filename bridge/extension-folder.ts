import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds what a person loads into each browser, or null before `npm run build` made that. */
export function findExtensionFolder(): string | null {
  const forChrome = fileURLToPath(new URL('../dist/extension-chrome', import.meta.url));
  return existsSync(`${forChrome}/manifest.json`) ? path.dirname(forChrome) : null;
}
