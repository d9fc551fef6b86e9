import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as v from 'valibot';
import { expect, it } from 'vitest';

import { extensionId, extensionOrigin } from '#shared/extension-id.ts';

const { key } = v.parse(
  v.object({ key: v.string() }),
  JSON.parse(readFileSync(new URL('../../manifest.json', import.meta.url), 'utf8')),
);

/** Chromium's rule: the first 16 bytes of the hash of the public key, with the hex digits written as a to p. */
function idOf(publicKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 32);
  return digest.replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)));
}

it('is the id that Chromium derives from the key in the manifest', () => {
  expect(extensionId).toBe(idOf(key));
});

it('makes the origin that a browser sends', () => {
  expect(extensionOrigin).toBe(`chrome-extension://${idOf(key)}`);
  expect(extensionOrigin).toMatch(/^chrome-extension:\/\/[a-p]{32}$/);
});
