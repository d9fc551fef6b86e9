import { InvalidArgumentError } from 'commander';

import { isExtensionOrigin } from '#shared/extension-id.ts';

/** Adds to `known` the origins that `value` lists, parted by commas. Throws where one would never match. */
export function parseOrigins(value: string, known: readonly string[]): string[] {
  const texts = value.split(',').map((text) => text.trim());
  return [...new Set([...known, ...texts.filter((text) => text !== '').map(parseOrigin)])];
}

/** An origin exactly as browsers send it, for it is compared as it stands. */
function parseOrigin(text: string): string {
  if (isOrigin(text)) return text;
  const meant = URL.parse(text)?.origin ?? '';
  throw new InvalidArgumentError(
    isOrigin(meant)
      ? `Browsers send ${meant} instead of “${text}”: write that.`
      : `“${text}” is no origin as browsers send it. Write each like https://app.example, http://localhost:3000 or chrome-extension://<id>, with nothing after it; there is no wildcard.`,
  );
}

const website = /^https?:\/\/(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/;

const isOrigin = (text: string): boolean =>
  // To an extension's, the parser of URLs gives no origin.
  isExtensionOrigin(text) || (website.test(text) && URL.parse(text)?.origin === text);
