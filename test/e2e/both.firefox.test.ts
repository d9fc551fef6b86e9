import { afterAll, beforeAll, expect, it } from 'vitest';

import { startChromium, type Chromium } from '../browser/chromium.ts';
import { setOptions, signIn } from '../browser/person.ts';
import { ask, builtExtension, startRig, until, type Rig } from '../browser/rig.ts';

/** Two browsers of one person, at one bridge. */

let rig: Rig;
let chromium: Chromium;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
  chromium = await startChromium({ extensionPath: builtExtension('chrome') });
  await (await chromium.waitForPage(/\/welcome\.html$/)).close();
  const { apiOrigin, guiOrigin } = rig.puter;
  await setOptions(chromium, { bridgeAddress: rig.bridge.url, apiOrigin, guiOrigin });
  await signIn(chromium);
});
afterAll(async () => {
  await chromium?.close();
  await rig?.close();
});

const extensions = () => rig.bridge.status.read().extensions;

it('are both connected, each under its own name', async () => {
  await until(() => extensions().length === 2);
  const names = extensions().map(({ browser }) => browser);
  expect(names.toSorted()).toEqual([expect.stringMatching(/^Chrom/), expect.stringMatching(/^Firefox \d+$/)]);
});

it('answer the same requests at once, and share them', async () => {
  const prompts = Array.from({ length: 12 }, (_, n) => `Number ${n}`);
  const answers = await Promise.all(prompts.map((prompt) => ask(rig.bridge.url, { prompt })));
  expect(answers.map(({ body }) => body['result'])).toEqual(prompts.map((prompt) => `You said: ${prompt}`));
  // Each signed in by itself.
  expect(new Set(rig.puter.calls.map(({ token }) => token)).size).toBe(2);
});

it('stand in for each other: what one leaves, the other answers', async () => {
  await chromium.close();
  await until(() => extensions().length === 1);
  expect((await ask(rig.bridge.url, { prompt: 'Alone?' })).body['result']).toBe('You said: Alone?');
});
