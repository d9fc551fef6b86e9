import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { approve, setOptions, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { onlyIn } from '../browser/tested-browser.ts';

/** Signing in, and every way in which it does not come to that. */

let rig: Rig;
let popup: Page;
beforeAll(async () => {
  rig = await startRig({ signedIn: false });
  await until(() => rig.bridge.status.read().extensions.length === 1);
  popup = await rig.browser.openPage('popup.html');
});
beforeEach(async () => {
  if (await popup.$('#sign-out')) await popup.locator('#sign-out').click();
  await waitForText(popup, '#sentence', /^Not signed in to Puter\.$/);
});
afterAll(() => rig?.close());

/** Presses the button; resolves with the window that opened. */
async function openWindow(): Promise<Page> {
  await popup.locator('.sign-in .primary').click();
  return rig.browser.waitForPage(/action=authme/);
}
const addressOf = (page: Page): Promise<string> => page.evaluate(() => location.href);
const problem = (pattern: RegExp): Promise<string> => waitForText(popup, '.sign-in [role=alert]', pattern);
const isSignedIn = () => waitForText(popup, '#hop-session', new RegExp(`Signed in as ${rig.puter.username}`));
const storedToken = () =>
  popup.evaluate(async () => {
    const { session } = await chrome.storage.local.get<{ session?: { token: string } }>('session');
    return session?.token;
  });
/** Goes where Puter's page would go, with other words in the address. */
const redirect = (page: Page, change: Record<string, string>) =>
  page.evaluate((parameters) => {
    const target = new URL(new URL(location.href).searchParams.get('redirectURL') ?? '');
    for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
    location.href = target.href;
  }, change);

describe('in the window of the browser', () => {
  it('ends signed in, and neither status nor page of the bridge ever holds the token', async () => {
    await approve(await openWindow());
    await isSignedIn();
    await rig.ready();
    expect((await ask(rig.bridge.url, { prompt: 'hi' })).status).toBe(200);
    const token = await storedToken();
    expect(token).toMatch(/./);
    expect(rig.puter.calls.at(-1)?.token).toBe(token);
    for (const path of ['/', '/api/status']) {
      expect(await (await fetch(`${rig.bridge.url}${path}`)).text()).not.toContain(token);
    }
  });

  it('closed says so, also to the popup that is opened afterwards, and can be tried again', async () => {
    const window = await openWindow();
    // As Chrome does with a popup that loses the focus to that window.
    await popup.close();
    await window.close();
    popup = await rig.browser.openPage('popup.html');
    expect(await problem(/closed/)).toContain('Try again');
    await approve(await openWindow());
    await isSignedIn();
  });

  it('open says so, also to the popup that is opened meanwhile, until it is closed, and whatever came of it before', async () => {
    await (await openWindow()).close();
    await problem(/closed/);
    const window = await openWindow();
    // Anew, as one that is opened: a tab would come into that window, which then could not be closed.
    await popup.reload();
    expect(await problem(/./)).toBe('Waiting for Puter’s page…');
    await window.close();
    await problem(/closed/);
  });

  it('cancelled, coming back without a token, says that', async () => {
    await redirect(await openWindow(), {});
    expect(await problem(/cancelled/)).toContain('sent no token');
    expect(await storedToken()).toBeUndefined();
  });

  it('with an answer to another question keeps nothing of it', async () => {
    await redirect(await openWindow(), { state: crypto.randomUUID(), token: rig.puter.mintToken() });
    expect(await problem(/did not belong/)).toContain('thrown away');
    expect(await storedToken()).toBeUndefined();
  });

  onlyIn('chromium', 'the window of Firefox shows the error itself, and waits', () => {
    it('without a network says so', async () => {
      rig.puter.setOutage(true);
      await popup.locator('.sign-in .primary').click();
      expect(await problem(/could not be loaded/)).toContain('network');
      rig.puter.setOutage(false);
    });
  });
});

onlyIn('firefox', 'the window of Chromium closes itself where a page answers with an error', () => {
  it('passes a check for robots in the window', async () => {
    rig.puter.setChallenge(true);
    await popup.locator('.sign-in .primary').click();
    const window = await rig.browser.waitForPage(/action=authme/);
    await window.locator('#solve').click();
    await approve(window);
    expect(await isSignedIn()).toContain(rig.puter.username);
  });
});

describe('in a tab', () => {
  const inTab = () => rig.browser.waitForPage(new RegExp(`^${rig.puter.origin}/.*auth%2Fcallback`));

  onlyIn('chromium', 'the window of Firefox shows the check, and waits', () => {
    it('is where a check for robots is shown, and leads to the end through the bridge', async () => {
      rig.puter.setChallenge(true);
      await popup.locator('.sign-in .primary').click();
      expect(await problem(/check/)).toContain('complete it there');
      const tab = await inTab();
      await tab.locator('#solve').click();
      await approve(tab);
      await isSignedIn();
      // Gone from the address, and so from the history.
      await waitForText(tab, 'h1', /Signed in/);
      const token = await storedToken();
      expect(token).toMatch(/./);
      expect(await addressOf(tab)).toBe(`${rig.bridge.url}/auth/signed-in`);
      expect(await tab.content()).not.toContain(token);
      await tab.close();
      expect((await ask(rig.bridge.url, { prompt: 'hi' })).status).toBe(200);
    });
  });

  it('is offered once the window did not do, and takes no answer to another question, nor one twice', async () => {
    await (await openWindow()).close();
    await popup.locator('.sign-in .quiet').click();
    await problem(/open in a tab/);
    const tab = await inTab();
    const callback = new URL(new URL(await addressOf(tab)).searchParams.get('redirectURL') ?? '');
    const stranger = new URL(callback);
    stranger.searchParams.set('state', crypto.randomUUID());
    stranger.searchParams.set('token', 'stranger');
    const page = await rig.browser.newPage();
    await page.goto(stranger.href);
    expect(await addressOf(page)).toBe(`${rig.bridge.url}/auth/failed`);
    expect(await storedToken()).toBeUndefined();
    await tab.bringToFront();
    await approve(tab);
    await isSignedIn();
    const token = await storedToken();
    callback.searchParams.set('token', 'second');
    await page.goto(callback.href);
    expect(await addressOf(page)).toBe(`${rig.bridge.url}/auth/failed`);
    expect(await storedToken()).toBe(token);
    await Promise.all([tab.close(), page.close()]);
    await popup.bringToFront();
  });

  it('is spoken of no more once nothing can come of it, also to the popup that is opened then, and is offered again', async () => {
    await (await openWindow()).close();
    await popup.locator('.sign-in .quiet').click();
    await problem(/open in a tab/);
    await (await inTab()).close();
    // Another Puter makes it void at once, as five minutes do.
    for (const guiOrigin of ['https://puter.com', rig.puter.guiOrigin]) await setOptions(rig.browser, { guiOrigin });
    await popup.waitForSelector('.sign-in .quiet');
    await popup.close();
    popup = await rig.browser.openPage('popup.html');
    await popup.waitForSelector('.sign-in .quiet');
    expect(await popup.$eval('.sign-in [role=alert]', (it) => it.textContent)).toBe('');
    await popup.locator('.sign-in .quiet').click();
    await problem(/open in a tab/);
    await (await inTab()).close();
  });

  it('needs a bridge, and says so without one', async () => {
    await (await openWindow()).close();
    await problem(/closed/);
    await rig.stopBridge();
    await waitForText(popup, '#sentence', /No bridge/);
    const options = await rig.browser.openPage('options.html');
    await options.locator('.sign-in .primary').click();
    await (await rig.browser.waitForPage(/action=authme/)).close();
    await options.locator('.sign-in .quiet').click();
    expect(await waitForText(options, '.sign-in [role=alert]', /needs the bridge/)).toContain('Start it');
    await options.close();
    await rig.restartBridge();
  });
});

it('is refused where one of Puter’s addresses is puter.com’s and the other is not', async () => {
  await setOptions(rig.browser, { guiOrigin: 'https://puter.com' });
  await popup.bringToFront();
  await popup.locator('.sign-in .primary').click();
  expect(await problem(/token/)).toContain('Set both');
  await setOptions(rig.browser, { guiOrigin: rig.puter.guiOrigin });
});

it('is refused in a tab where its token would come back to another machine', async () => {
  await setOptions(rig.browser, { bridgeAddress: 'http://192.0.2.1:5001' });
  const options = await rig.browser.openPage('options.html');
  await options.locator('.sign-in .primary').click();
  await (await rig.browser.waitForPage(/action=authme/)).close();
  await options.locator('.sign-in .quiet').click();
  expect(await waitForText(options, '.sign-in [role=alert]', /not on this machine/)).toContain('token');
  await options.close();
  await setOptions(rig.browser, { bridgeAddress: rig.bridge.url });
  await until(() => rig.bridge.status.read().extensions.length === 1);
});

it('goes to the Puter that is set, and a token goes to no other than the one that issued it', async () => {
  const token = rig.puter.mintToken();
  const foreign = { token, apiOrigin: 'https://elsewhere.example', guiOrigin: rig.puter.guiOrigin };
  await popup.evaluate((session) => chrome.storage.local.set({ session }), foreign);
  const refused = await ask(rig.bridge.url, { prompt: 'Not with that token' });
  expect(refused).toMatchObject({ status: 503, body: { code: 'puter_not_signed_in' } });
  expect(rig.puter.calls.filter((call) => call.token === token)).toEqual([]);
  // It can be forgotten all the same.
  await popup.locator('#sign-out').click();
  await until(async () => (await popup.evaluate(() => chrome.storage.local.get('session')))['session'] === undefined);
});
