import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { waitForText } from '../browser/person.ts';
import { ask, builtExtension, startRig, until, type Rig } from '../browser/rig.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';

/** The same extension under an id that the bridge does not know, as a browser gives that reads no `key`. */

let rig: Rig;
let copy: TemporaryFolder;
beforeAll(async () => {
  copy = await createTemporaryFolder('extension');
  await cp(builtExtension('chrome'), copy.dir, { recursive: true });
  const manifest = path.join(copy.dir, 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace(/\n *"key": .*/, ''));
  rig = await startRig({ extensionPath: copy.dir, paired: true });
});
afterAll(async () => {
  await rig?.close();
  await copy?.remove();
});

it('is paired by a code, though the bridge asks none of the id that it knows', async () => {
  await rig.ready();
  expect(`chrome-extension://${rig.chromium.extensionId}`).not.toBe(extensionOrigin);
  expect((await ask(rig.bridge.url, { prompt: 'Another id?' })).body['result']).toBe('You said: Another id?');
});

it('says that no bridge answers where none does', async () => {
  const popup = await rig.browser.openPage('popup.html');
  await rig.stopBridge();
  await waitForText(popup, '#sentence', /No bridge answers/);
  await rig.restartBridge();
  await waitForText(popup, '#sentence', /Ready/);
  await popup.close();
});

it('needs no code again when bridge and browser were started anew', async () => {
  await rig.restartBridge();
  await rig.ready();
  await rig.browser.restart();
  await until(() => rig.bridge.status.read().extensions.length === 1);
  await rig.ready();
  expect((await ask(rig.bridge.url, { prompt: 'Back?' })).status).toBe(200);
  expect(rig.bridge.pairing()).toBeNull();
});
