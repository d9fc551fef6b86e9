import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { setOptions, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { onlyIn, testedBrowser } from '../browser/tested-browser.ts';

/** What the person can set, and where they are told what is wrong with it. */

let rig: Rig;
let options: Page;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
});
beforeEach(async () => {
  options = await rig.browser.openPage('options.html');
  await waitForText(options, '#account-state', /Signed in as/);
});
afterAll(() => rig?.close());

const stored = () =>
  options.evaluate(async () => (await chrome.storage.local.get<Record<string, object>>('settings'))['settings']);
const valueOf = (page: Page, id: string): Promise<string> =>
  page.$eval(`#${id}`, (it) => (it as HTMLInputElement).value);

it('saves as one types, says so, and uses it for the next request', async () => {
  await options.type('#defaultModel', 'whole-only');
  await waitForText(options, '#defaultModel-saved', /Saved/);
  expect(await stored()).toMatchObject({ defaultModel: 'whole-only' });
  expect((await ask(rig.bridge.url, { prompt: 'hi' })).body['model']).toBe('whole-only');
  await setOptions(rig.browser, { defaultModel: '' });
});

it('saves what was typed last where the page is left at once, also what stood there when it was opened', async () => {
  await options.type('#defaultModel', 'echo');
  await waitForText(options, '#defaultModel-saved', /Saved/);
  await options.$eval('#defaultModel', (it) => (it as HTMLInputElement).select());
  await options.keyboard.press('Backspace');
  await options.goto(`${rig.bridge.url}/health`);
  options = await rig.browser.openPage('options.html');
  await until(async () => JSON.stringify(await stored()).includes('"defaultModel":""'));
});

it.each([
  ['bridgeAddress', 'http://127.0.0.1:5001/path', 'without a path'],
  ['bridgeAddress', 'not an address', 'like http://127.0.0.1:5001'],
  ['bridgeAddress', '127.0.0.1:6000', 'Choose another'],
  ['apiOrigin', 'http://example.com', 'https://'],
  ['guiOrigin', 'javascript:alert(1)', 'https://'],
])('names a wrong %s (%s) at its field, and saves nothing of it', async (id, value, words) => {
  const before = await stored();
  await options.locator(`#${id}`).fill(value);
  expect(await waitForText(options, `#${id}-problem`, /./)).toContain(words);
  expect(await options.$eval(`#${id}`, (it) => it.getAttribute('aria-invalid'))).toBe('true');
  expect(await stored()).toEqual(before);
  // What is wrong is left for the person to mend, not taken away.
  expect(await valueOf(options, id)).toBe(value);
});

it('completes an address that was typed without its scheme, and warns of one that leaves this machine', async () => {
  const { host } = new URL(rig.bridge.url);
  await setOptions(rig.browser, { bridgeAddress: host.replace('127.0.0.1', 'localhost') });
  await until(async () => (await valueOf(options, 'bridgeAddress')) === rig.bridge.url);
  expect(await options.$('.warning')).toBeNull();
  await setOptions(rig.browser, { bridgeAddress: 'https://bridge.example' });
  expect(await waitForText(options, '.warning', /./)).toContain('not this machine');
  await setOptions(rig.browser, { bridgeAddress: rig.bridge.url });
});

it('shows at once what another page saved, and keeps what is being typed', async () => {
  const other = await rig.browser.openPage('options.html');
  await other.waitForSelector('#defaultModel');
  await options.bringToFront();
  await options.type('#apiOrigin', 'x');
  await setOptions(rig.browser, { defaultModel: 'echo' });
  await until(async () => (await valueOf(other, 'defaultModel')) === 'echo');
  await until(async () => (await valueOf(options, 'defaultModel')) === 'echo');
  expect(await valueOf(options, 'apiOrigin')).toBe(`${rig.puter.apiOrigin}x`);
  await setOptions(rig.browser, { defaultModel: '' });
});

it('offers Puter’s live list of models with price and context, and says which are close to a wrong name', async () => {
  await options.waitForSelector('#models option[value=anthropic]');
  const details = '$3.00 in, $15.00 out per million tokens · 200,000 tokens of context';
  expect(await options.$eval('#models option[value=anthropic]', (it) => it.label)).toBe(
    testedBrowser === 'firefox' ? `anthropic · ${details}` : details,
  );
  await options.type('#defaultModel', 'claude-echo');
  expect(await waitForText(options, '#model-details', /in/)).toContain('$3.00 in');
  await options.locator('#defaultModel').fill('claude-eco');
  expect(await waitForText(options, '#model-details', /no model/)).toContain('claude-echo');
  await setOptions(rig.browser, { defaultModel: '' });
});

onlyIn('firefox', 'Chromium opens no list for keys that a debugger presses', () => {
  it('finds a model in that list by a part of its name, and by its price', async () => {
    await options.waitForSelector('#models option[value=anthropic]');
    for (const part of ['throp', '$3.0']) {
      await options.locator('#defaultModel').fill('');
      await options.type('#defaultModel', part);
      // The first key opens the list where it is not open, which takes a moment.
      const keys = ['ArrowDown', 'ArrowDown', 'Enter'] as const;
      let presses = 0;
      const choose = async () => {
        await options.keyboard.press(keys[presses++ % keys.length] ?? 'Enter');
        return valueOf(options, 'defaultModel');
      };
      await expect.poll(choose, { interval: 200, timeout: 15_000 }).toBe('anthropic');
    }
    await setOptions(rig.browser, { defaultModel: '' });
  });
});

it('runs as many calls at once as the plan allows, or as many as are set', async () => {
  const lanes = () => rig.bridge.status.read().extensions[0]?.lanes.free;
  expect(lanes()).toBe(3);
  expect(await options.$eval('#lanes', (it) => (it as HTMLSelectElement).selectedOptions[0]?.label)).toContain('3');
  rig.puter.setAccount({ is_temp: true });
  await until(() => lanes() === 2);
  rig.puter.setAccount({ is_temp: false, subscribed: true });
  await until(() => lanes() === 20);
  await setOptions(rig.browser, { lanes: 5 });
  await until(() => lanes() === 5);
  rig.puter.setAccount({ subscribed: false });
  await setOptions(rig.browser, { lanes: 'auto' });
  await until(() => lanes() === 3);
});

it('tests Puter’s addresses without sending the token, and names what does not answer', async () => {
  await options.locator('#test').click();
  expect(await waitForText(options, '#test-outcome', /pages at \S+ answer/)).toMatch(/lists \d+ models/);
  await setOptions(rig.browser, { apiOrigin: 'http://127.0.0.1:2' });
  await options.locator('#test').click();
  expect(await waitForText(options, '#test-outcome', /✗/)).toContain('No API of Puter answers at http://127.0.0.1:2.');
  await setOptions(rig.browser, { apiOrigin: rig.puter.apiOrigin });
});

it('tests the address that was typed just before', async () => {
  await options.bringToFront();
  await options.locator('#apiOrigin').fill('http://127.0.0.1:2');
  await options.locator('#test').click();
  expect(await waitForText(options, '#test-outcome', /✗/)).toContain('No API of Puter answers at http://127.0.0.1:2.');
  await setOptions(rig.browser, { apiOrigin: rig.puter.apiOrigin });
  // And what was found there says nothing of another.
  await waitForText(options, '#test-outcome', /✓ \S+ answers and lists/);
});

it('gives diagnostics away without token, name or prompt', async () => {
  await ask(rig.bridge.url, { prompt: 'What nobody else may read' });
  await until(async () =>
    JSON.stringify(await options.$eval('#diagnostics', (it) => it.textContent)).includes('ended'),
  );
  const text = await options.$eval('#diagnostics', (it) => it.textContent);
  const { session } = await options.evaluate(() => chrome.storage.local.get<{ session: { token: string } }>('session'));
  expect(JSON.parse(text)).toMatchObject({ version: expect.stringMatching(/^\d/), lanes: 3 });
  for (const secret of [session.token, rig.puter.username, 'nobody else', 'You said'])
    expect(text).not.toContain(secret);
});

it('keeps settings, pause and session over a restart of the browser', async () => {
  await setOptions(rig.browser, { defaultModel: 'echo', lanes: 4 });
  await rig.browser.restart();
  await until(() => rig.bridge.status.read().extensions[0]?.lanes.free === 4);
  await rig.ready();
  expect((await ask(rig.bridge.url, { prompt: 'hi' })).body['model']).toBe('echo');
});

const focused = (): Promise<string | undefined> => options.evaluate(() => document.activeElement?.textContent);

it('asks before it restores the defaults, and the keyboard stays with the question and what comes of it', async () => {
  await setOptions(rig.browser, { lanes: 7 });
  await options.bringToFront();
  await options.focus('#reset');
  await options.keyboard.press('Enter');
  expect(await waitForText(options, '.reset [role=alert]', /./)).toContain('Restore every default?');
  expect(await focused()).toBe('Keep mine');
  await options.keyboard.press('Enter');
  await options.waitForSelector('#reset');
  expect(await focused()).toBe('Restore defaults…');
  expect(await stored()).toMatchObject({ lanes: 7 });
});

it('restores the defaults, once asked again', async () => {
  await options.focus('#reset');
  await options.keyboard.press('Enter');
  await options.waitForSelector('#reset-confirm');
  await options.focus('#reset-confirm');
  await options.keyboard.press('Enter');
  await waitForText(options, '.reset [role=status]', /restored/);
  expect(await focused()).toBe('Restore defaults…');
  expect(await stored()).toEqual({
    bridgeAddress: 'http://127.0.0.1:5001',
    defaultModel: '',
    lanes: 'auto',
    apiOrigin: 'https://api.puter.com',
    guiOrigin: 'https://puter.com',
  });
  expect(await valueOf(options, 'bridgeAddress')).toBe('http://127.0.0.1:5001');
});
