import { afterAll, beforeAll, expect, it } from 'vitest';

import { setOptions, signIn, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ signedIn: false });
  await until(() => rig.bridge.status.read().extensions.length === 1);
});
afterAll(() => rig?.close());

const badge = async (): Promise<string> => {
  const page = await rig.chromium.openPage('options.html');
  const text = await page.evaluate(() => chrome.action.getBadgeText({}));
  await page.close();
  return text;
};

it('says what is missing while nobody is signed in: popup, badge and caller alike', async () => {
  const popup = await rig.chromium.openPage('popup.html');
  expect(await waitForText(popup, '#sentence', /Puter/)).toBe('Not signed in to Puter.');
  await popup.close();
  await until(async () => (await badge()) === '!');
  expect(await ask(rig.bridge.url, { prompt: 'hi' })).toMatchObject({
    status: 503,
    body: { code: 'puter_not_signed_in' },
  });
});

it('says that the sign-in window was closed, and lets the person try again', async () => {
  const popup = await rig.chromium.openPage('popup.html');
  await popup.locator('#sign-in').click();
  const window = await rig.chromium.waitForPage(/action=authme/);
  await window.close();
  expect(await waitForText(popup, '#problem', /closed/)).toContain('Try again');
  await popup.close();
});

it('signs in with its own button, and the bridge learns the name but never the token', async () => {
  await signIn(rig.chromium, rig.puter.guiOrigin);
  await rig.ready();
  const status = await (await fetch(`${rig.bridge.url}/api/status`)).text();
  expect(status).toContain(rig.puter.username);
  await ask(rig.bridge.url, { prompt: 'hi' });
  const token = rig.puter.calls.at(-1)?.token;
  expect(token).toMatch(/./);
  expect(status).not.toContain(token);
  await until(async () => (await badge()) === '✓');
});

it('counts running calls in popup and badge', async () => {
  const popup = await rig.chromium.openPage('popup.html');
  const stop = new AbortController();
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'x', model: 'slow-stream' }, stop.signal);
  await call;
  expect(await waitForText(popup, '#sentence', /Processing/)).toBe('Processing 1 request.');
  expect(await popup.$eval('#light', (light) => light.getAttribute('data-color'))).toBe('yellow');
  await until(async () => (await badge()) === '1');
  stop.abort();
  await expect(answer).rejects.toThrow('aborted');
  expect(await waitForText(popup, '#sentence', /Ready/)).toBe('Ready.');
  await popup.close();
});

it('turns red when the bridge goes, and green when it is back', async () => {
  const popup = await rig.chromium.openPage('popup.html');
  await waitForText(popup, '#sentence', /Ready/);
  const bridgeReturns = rig.restartBridge();
  expect(await waitForText(popup, '#sentence', /stopped|No bridge|Ready/)).toBeTruthy();
  await bridgeReturns;
  expect(await waitForText(popup, '#sentence', /Ready/)).toBe('Ready.');
  await popup.close();
});

it('uses the default model of the options for requests that name none', async () => {
  await setOptions(rig.chromium, { defaultModel: 'whole-only' });
  await until(async () => (await ask(rig.bridge.url, { prompt: 'hi' })).body['model'] === 'whole-only');
});

it('saves no wrong option, and says at the field what is wrong with it', async () => {
  await expect(setOptions(rig.chromium, { bridgePort: 70_000 })).rejects.toThrow('A port is a whole number');
  await expect(setOptions(rig.chromium, { apiOrigin: 'http://example.com' })).rejects.toThrow('https://');
});

it('takes a call’s 401 as the end of the session, without opening anything', async () => {
  rig.puter.expireSession();
  const tabs = (await rig.chromium.openTabs()).length;
  expect(await ask(rig.bridge.url, { prompt: 'hi' })).toMatchObject({
    status: 503,
    body: { code: 'puter_not_signed_in' },
  });
  await until(() => !rig.bridge.status.read().puter.signed_in);
  expect((await rig.chromium.openTabs()).length).toBe(tabs);
  // The token of an ended session can still be forgotten.
  const popup = await rig.chromium.openPage('popup.html');
  expect(await waitForText(popup, '#sentence', /ended/)).toContain('Sign in again');
  await popup.locator('#sign-out').click();
  expect(await waitForText(popup, '#sentence', /Not signed in/)).toBe('Not signed in to Puter.');
  const stored = await popup.evaluate(() => chrome.storage.local.get('session'));
  expect(stored).toEqual({});
});
