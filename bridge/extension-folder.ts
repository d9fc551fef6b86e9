import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder that a person loads into the browser, or null before `npm run build` made it. */
export function findExtensionFolder(): string | null {
  const folder = fileURLToPath(new URL('../dist/extension-chrome', import.meta.url));
  return existsSync(`${folder}/manifest.json`) ? folder : null;
}
