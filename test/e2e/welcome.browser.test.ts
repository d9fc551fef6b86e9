import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { approve, setOptions, waitForText } from '../browser/person.ts';
import { startRig, type Rig } from '../browser/rig.ts';

/** The first minutes after the installation, the way a newcomer meets them. */

let rig: Rig;
let welcome: Page;
beforeAll(async () => {
  // The rig closes the page that opened by itself; it is opened again where the test wants it.
  rig = await startRig({ signedIn: false });
  welcome = await rig.browser.openPage('welcome.html');
});
afterAll(() => rig?.close());

const isDone = (step: string): Promise<boolean> =>
  welcome.$eval(`#step-${step}`, (it) => it.getAttribute('data-done') === 'true');
const done = (step: string) => welcome.waitForSelector(`#step-${step}[data-done=true]`);

it('says how to start the bridge, and ticks the step once it runs', async () => {
  await done('bridge');
  await setOptions(rig.browser, { bridgeAddress: '127.0.0.1:2' });
  await welcome.waitForSelector('#step-bridge[data-done=false]');
  expect(await waitForText(welcome, '#step-bridge code', /./)).toBe('npm start -- --port 2');
  await setOptions(rig.browser, { bridgeAddress: rig.bridge.url });
  await done('bridge');
});

it('lets nobody try before everything is there', async () => {
  expect([await isDone('sign-in'), await isDone('answer')]).toEqual([false, false]);
  expect(await welcome.$eval('#try', (it) => (it as HTMLButtonElement).disabled)).toBe(true);
});

it('ticks the sign-in', async () => {
  await welcome.locator('#step-sign-in .primary').click();
  await approve(await rig.browser.waitForPage(/action=authme/));
  await done('sign-in');
  expect(await waitForText(welcome, '#step-sign-in', /Signed in as/)).toContain(rig.puter.username);
});

it('answers a prompt through the bridge, and is done', async () => {
  await welcome.locator('#prompt').fill('Really?');
  await welcome.locator('#try').click();
  expect(await waitForText(welcome, '#answer .answer', /./)).toBe('You said: Really?');
  expect(await waitForText(welcome, '#answer', /Answered by/)).toMatch(/in \d/);
  expect(rig.puter.calls.at(-1)).toMatchObject({ messages: [{ role: 'user', content: 'Really?' }] });
  await done('answer');
  await waitForText(welcome, '#all-done', /close this page/);
});

it('shows what went wrong in words when it does', async () => {
  await setOptions(rig.browser, { defaultModel: 'fail:forbidden' });
  await welcome.locator('#try').click();
  expect(await waitForText(welcome, '#answer .problem', /./)).toContain('Prompt blocked by policy');
});

it('does not come again with the next start of the browser', async () => {
  await rig.browser.restart();
  await rig.ready();
  expect((await rig.browser.openTabs()).filter((url) => url.includes('welcome'))).toEqual([]);
});
