import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { readBadge, setOptions, signIn, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { onlyIn } from '../browser/tested-browser.ts';

/** Every hop of the way broken and mended, as badge, popup, /api/status and callers see it. */

let rig: Rig;
let popup: Page;
beforeAll(async () => {
  rig = await startRig();
  popup = await rig.browser.openPage('popup.html');
});
beforeEach(() => turnsTo('green', /^Ready\.$/));
afterAll(() => rig?.close());

const lamp = (color: string) => popup.waitForSelector(`#light[data-color=${color}]`);

/** Milliseconds until the popup shows this colour and sentence. */
async function turnsTo(color: 'green' | 'yellow' | 'red', sentence: RegExp): Promise<number> {
  const start = performance.now();
  await Promise.all([lamp(color), waitForText(popup, '#sentence', sentence)]);
  return performance.now() - start;
}

const causeOf = (hop: string): Promise<string> => waitForText(popup, `#hop-${hop} p`, /./);
const press = (label: string) => popup.locator(`.fix ::-p-text(${label})`).click();
const status = () => rig.bridge.status.read();

describe('the bridge', () => {
  it('stopped turns red within 3 s, shows how to start it, and green within 3 s of its return', async () => {
    const { port } = new URL(rig.bridge.url);
    await rig.stopBridge();
    expect(await turnsTo('red', /No bridge answers/)).toBeLessThan(3000);
    await until(async () => (await readBadge(rig.browser)).text === '!');
    expect((await readBadge(rig.browser)).title).toContain(`No bridge answers on 127.0.0.1:${port}`);
    await press('Start the bridge');
    expect(await waitForText(popup, '#hop-bridge code', /npm start/)).toBe(`npm start -- --port ${port}`);
    await rig.restartBridge();
    expect(await turnsTo('green', /Ready/)).toBeLessThan(3000);
    await until(async () => (await readBadge(rig.browser)).text === '✓');
  });

  onlyIn('chromium', 'Firefox has no service worker', () => {
    it('keeps its light through a service worker’s death, and the dead worker is woken for the next one', async () => {
      await rig.chromium.stopServiceWorker();
      expect((await readBadge(rig.browser)).text).toBe('✓');
      const stop = new AbortController();
      const call = rig.puter.nextCall();
      const answer = ask(rig.bridge.url, { prompt: 'x', model: 'hang' }, stop.signal);
      await call;
      await until(async () => (await readBadge(rig.browser)).text === '1');
      expect((await readBadge(rig.browser)).title).toBe('Puter Bridge: Processing 1 request.');
      stop.abort();
      await expect(answer).rejects.toThrow('aborted');
      await until(async () => (await readBadge(rig.browser)).text === '✓');
    });
  });

  it('paused turns callers away with a sentence, and takes them again once resumed', async () => {
    await popup.locator('#pause').click();
    await turnsTo('red', /Paused/);
    await until(() => status().hops.bridge.state === 'paused');
    const refused = await ask(rig.bridge.url, { prompt: 'hi' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'paused' } });
    expect(refused.body['error']).toContain('Resume');
    await press('Resume');
    await turnsTo('green', /Ready/);
    await until(() => status().hops.bridge.state === 'connected');
    expect((await ask(rig.bridge.url, { prompt: 'hi' })).status).toBe(200);
  });
});

describe('the session', () => {
  it('that ends in the middle of a call fails it by name, opens nothing, and is mended by signing in', async () => {
    const tabs = (await rig.browser.openTabs()).length;
    rig.puter.expireSession();
    expect(await ask(rig.bridge.url, { prompt: 'hi' })).toMatchObject({
      status: 503,
      body: { code: 'puter_session_expired' },
    });
    await turnsTo('red', /ended the session/);
    expect(status().hops.session).toMatchObject({ state: 'expired', fix: 'sign_in' });
    expect((await rig.browser.openTabs()).length).toBe(tabs);
    await signIn(rig.browser);
    await until(() => status().puter.signed_in);
  });

  it('is noticed as ended within 3 s where somebody looks, without any call', async () => {
    rig.puter.expireSession();
    expect(await turnsTo('red', /ended the session/)).toBeLessThan(3000);
    await signIn(rig.browser);
  });

  it('signed out says so everywhere, and a caller what to do', async () => {
    await popup.locator('#sign-out').click();
    await turnsTo('red', /^Not signed in to Puter\.$/);
    await until(() => !status().puter.signed_in);
    expect(await ask(rig.bridge.url, { prompt: 'hi' })).toMatchObject({
      status: 503,
      body: { code: 'puter_not_signed_in' },
    });
    expect(await popup.evaluate(() => chrome.storage.local.get('session'))).toEqual({});
    await signIn(rig.browser);
  });

  it('that wants a verification says which, and offers Puter’s own page', async () => {
    rig.puter.setAccount({ requires_phone_verification: 1 });
    await turnsTo('red', /verify your phone number/);
    const link = await popup.$eval('#hop-session .fix', (it) => (it as HTMLAnchorElement).href);
    expect(new URL(link).origin).toBe(rig.puter.guiOrigin);
    await until(() => status().hops.session.state === 'verification_required');
    rig.puter.setAccount({ requires_phone_verification: 0 });
    expect(await turnsTo('green', /Ready/)).toBeLessThan(3000);
  });

  it('of a blocked application is red until a call goes through', async () => {
    await ask(rig.bridge.url, { prompt: 'hi', model: 'fail:app_blocked' });
    await turnsTo('red', /refuses this application/);
    // Puter alone decides: the next call is let through to it.
    expect((await ask(rig.bridge.url, { prompt: 'hi' })).status).toBe(200);
  });
});

describe('Puter', () => {
  it('out of reach turns red within 3 s, and green within 3 s of its return', async () => {
    rig.puter.setOutage(true);
    expect(await turnsTo('red', /cannot be reached/)).toBeLessThan(3000);
    expect(await causeOf('session')).toContain('Signed in');
    await until(() => status().puter.reachable === false);
    rig.puter.setOutage(false);
    expect(await turnsTo('green', /Ready/)).toBeLessThan(3000);
  });

  it('that takes requests and never answers turns red within 3 s, too, and is believed only once it answers', async () => {
    rig.puter.setSilence(true);
    expect(await turnsTo('red', /cannot be reached/)).toBeLessThan(3500);
    // A browser that starts now knows nothing of Puter, and does not say otherwise.
    await rig.browser.restart();
    await until(() => status().extensions.length === 1);
    expect(status().light.color).not.toBe('green');
    popup = await rig.browser.openPage('popup.html');
    await turnsTo('red', /cannot be reached/);
    rig.puter.setSilence(false);
    expect(await turnsTo('green', /Ready/)).toBeLessThan(3500);
  });

  it('with the month’s allowance used up says when it starts anew, and is mended by a raise', async () => {
    rig.puter.setRemaining(0);
    const refused = await ask(rig.bridge.url, { prompt: 'hi', model: 'fail:insufficient_funds' });
    expect(refused).toMatchObject({ status: 502, body: { upstream: { code: 'insufficient_funds' } } });
    await turnsTo('red', /used up\. It starts anew on 1 \w+/);
    await press('See allowance');
    expect(await popup.evaluate(() => document.activeElement?.id)).toBe('allowance');
    rig.puter.setRemaining(5_000_000);
    expect(await turnsTo('green', /Ready/)).toBeLessThan(3000);
    expect(await waitForText(popup, '#allowance-left', /0\.05/)).toBe('$0.05 of $0.25 left');
    rig.puter.setRemaining(null);
  });

  it('with its rate limit reached says until when, and is green again by then', { timeout: 90_000 }, async () => {
    // puter.js repeats a refused call by itself for 12 s before it gives up, and the bridge once more after ten.
    const refused = await ask(rig.bridge.url, { prompt: 'hi', model: 'fail:too_many_requests' });
    expect(refused).toMatchObject({ status: 502, body: { upstream: { code: 'too_many_requests' } } });
    await turnsTo('red', /rate limit is reached. It is free again at \d/);
    expect(Date.parse(status().hops.puter.until ?? '')).toBeGreaterThan(Date.now());
    expect(await turnsTo('green', /Ready/)).toBeLessThan(13_000);
  });
});

it('survives a browser restart: badge and session are right before anybody looks', async () => {
  await rig.browser.restart();
  await until(() => status().extensions.length === 1);
  await until(async () => (await readBadge(rig.browser)).text === '✓');
  popup = await rig.browser.openPage('popup.html');
});

it('tells the truth about the bridge, too, when another address is set', async () => {
  await setOptions(rig.browser, { bridgeAddress: '127.0.0.1:2' });
  expect(await turnsTo('red', /No bridge answers on 127\.0\.0\.1:2\./)).toBeLessThan(3000);
  await setOptions(rig.browser, { bridgeAddress: rig.bridge.url });
});
