import type { Page } from 'puppeteer-core';

import type { Bridge } from '../../bridge/bridge.ts';
import type { Config } from '../../bridge/config.ts';
import { defaultLimits } from '../../bridge/limits.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { setOptions, signIn, waitForText } from '../browser/person.ts';
import { ask, until, type Rig } from '../browser/rig.ts';

/** Every page in every state worth a look, for screenshots and for the checks of accessibility. */

export const themes = ['light', 'dark'] as const;

export interface View {
  name: string;
  /** Opens the page and brings it into this state. The rig must be ready. */
  open(rig: Rig): Promise<Page>;
  /** Closes the page and makes the rig ready again. */
  leave(rig: Rig, page: Page): Promise<void>;
}

/** Shows the page as a browser with this theme does. */
export const inTheme = (page: Page, theme: (typeof themes)[number]): Promise<void> =>
  page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);

type Act = (rig: Rig, page: Page) => Promise<unknown>;

const sizes = {
  popup: { width: 360, height: 600 },
  page: { width: 960, height: 700 },
  phone: { width: 380, height: 700 },
};

function view(options: {
  name: string;
  /** A page of the extension, or a path of the bridge where it begins with a slash. */
  path: string;
  size?: keyof typeof sizes;
  /** What happens before the page is opened, and what on it. */
  before?: (rig: Rig) => Promise<unknown>;
  on?: Act;
  /** An element and the words it must show. */
  shows: [selector: string, words: RegExp];
  after?: (rig: Rig) => Promise<unknown>;
}): View {
  const { name, path, size = path === 'popup.html' ? 'popup' : 'page', before, on, shows, after } = options;
  return {
    name,
    async open(rig) {
      await before?.(rig);
      const { browser, bridge } = rig;
      const page = path.startsWith('/') ? await browser.newPage() : await browser.openPage(path);
      if (path.startsWith('/')) await page.goto(`${bridge.url}${path}`);
      await page.setViewport({ ...sizes[size], deviceScaleFactor: 2 });
      await on?.(rig, page);
      await waitForText(page, ...shows);
      return page;
    },
    async leave(rig, page) {
      await page.close();
      await after?.(rig);
      await rig.ready();
    },
  };
}

const call = (model: string) => async (rig: Rig) => {
  await ask(rig.bridge.url, { prompt: 'hi', model });
};

/** Calls that go on until they are stopped. */
const startCalls = (count: number) => async (rig: Rig) => {
  for (let n = 0; n < count; n += 1) {
    const begun = rig.puter.nextCall();
    void fetch(`${rig.bridge.url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': n === 0 ? 'my-editor/4.2' : 'OpenAI/Python 2.1' },
      body: JSON.stringify({ prompt: 'Write a poem', model: n === 0 ? 'hang' : 'hang-mid' }),
    }).catch(() => null);
    await begun;
  }
};

const stopCalls = async (rig: Rig) => {
  const popup = await rig.browser.openPage('popup.html');
  await waitForText(popup, '#sentence', /./);
  for (const stop of await popup.$$('#running .stop')) await stop.click();
  await waitForText(popup, '#sentence', /Ready/);
  await popup.close();
};

const signOut = async (rig: Rig) => {
  const options = await rig.browser.openPage('options.html');
  await options.locator('#sign-out').click();
  await waitForText(options, '#account-state', /Not signed in/);
  await options.close();
};

const signInAgain = (rig: Rig) => signIn(rig.browser);

const setPaused = (paused: boolean) => async (rig: Rig) => {
  const popup = await rig.browser.openPage('popup.html');
  await popup.locator('#pause').click();
  await waitForText(popup, '#sentence', paused ? /Paused/ : /Ready/);
  await popup.close();
};

const toAddress = (address: (rig: Rig) => string) => (rig: Rig) =>
  setOptions(rig.browser, { bridgeAddress: address(rig) });
const back = toAddress(({ bridge }) => bridge.url);

/** Another bridge; each view has its own, so that none is paired already. */
let other: Bridge;
const toOther =
  (config: Partial<Config>, onUnexpected?: (error: unknown) => void) =>
  async (rig: Rig): Promise<void> => {
    other = await startTemporaryBridge(config, onUnexpected);
    await toAddress(() => other.url)(rig);
  };
const toStrictBridge = toOther({ requirePairing: true });
/** The disk of its state folder is full. */
const toFullBridge = async (rig: Rig) => {
  const limits = { ...defaultLimits, maxJournalBytes: 100_000 };
  await toOther({ keepBytes: 10_000, limits }, () => {})(rig);
  await until(() => other.status.read().puter.reachable === true);
  await ask(other.url, { prompt: 'x'.repeat(300_000), model: 'echo' });
};
const leaveOther = async (rig: Rig) => {
  await back(rig);
  await other.close();
};

const popup = { path: 'popup.html' };

export const views: View[] = [
  view({
    ...popup,
    name: 'popup-ready',
    before: call('echo'),
    on: (_, page) => waitForText(page, '#allowance-left', /left/),
    shows: ['#sentence', /Ready/],
  }),
  view({
    ...popup,
    name: 'popup-processing',
    before: async (rig) => {
      await call('fail:forbidden')(rig);
      await startCalls(2)(rig);
    },
    on: (_, page) => waitForText(page, '#allowance-left', /left/),
    shows: ['#sentence', /Processing 2/],
    after: stopCalls,
  }),
  view({
    ...popup,
    name: 'popup-disk-full',
    before: toFullBridge,
    on: (_, page) => waitForText(page, '#allowance-left', /left/),
    shows: ['#durability', /lost/],
    after: leaveOther,
  }),
  view({
    ...popup,
    name: 'popup-no-bridge',
    before: toAddress(() => '127.0.0.1:2'),
    on: (_, page) => page.locator('.fix').click(),
    shows: ['#hop-bridge', /npm start/],
    after: back,
  }),
  view({
    ...popup,
    name: 'popup-other-program',
    before: toAddress(({ puter }) => puter.origin),
    shows: ['#sentence', /Another program/],
    after: back,
  }),
  view({
    ...popup,
    name: 'popup-must-pair',
    before: toStrictBridge,
    on: (_, page) => page.waitForSelector('#pairing-code'),
    shows: ['#sentence', /Not paired/],
    after: leaveOther,
  }),
  view({
    ...popup,
    name: 'popup-wrong-code',
    before: toStrictBridge,
    on: async (_, page) => {
      await page.locator('#pairing-code').fill('K7QM-2XRD');
      await page.keyboard.press('Enter');
    },
    shows: ['#pairing-problem', /not the code/],
    after: leaveOther,
  }),
  view({
    ...popup,
    name: 'popup-signed-out',
    before: signOut,
    shows: ['#sentence', /Not signed in/],
    after: signInAgain,
  }),
  view({
    ...popup,
    name: 'popup-sign-in-closed',
    before: signOut,
    on: async (rig, page) => {
      await page.locator('.sign-in .primary').click();
      await (await rig.browser.waitForPage(/action=authme/)).close();
    },
    shows: ['.sign-in', /closed/],
    after: signInAgain,
  }),
  view({
    ...popup,
    name: 'popup-paused',
    before: setPaused(true),
    shows: ['#sentence', /Paused/],
    after: setPaused(false),
  }),
  view({
    ...popup,
    name: 'popup-verification',
    before: async ({ puter }) => puter.setAccount({ requires_phone_verification: 1 }),
    shows: ['#sentence', /verify your phone/],
    after: async ({ puter }) => puter.setAccount({ requires_phone_verification: 0 }),
  }),
  view({
    ...popup,
    name: 'popup-out-of-allowance',
    before: async (rig) => {
      rig.puter.setRemaining(0);
      await call('fail:insufficient_funds')(rig);
    },
    on: (_, page) => waitForText(page, '#allowance-left', /\$0\.00/),
    shows: ['#sentence', /used up/],
    after: async (rig) => {
      rig.puter.setRemaining(null);
      await call('echo')(rig);
    },
  }),
  view({
    ...popup,
    name: 'popup-unreachable',
    before: async ({ puter }) => puter.setOutage(true),
    shows: ['#sentence', /cannot be reached/],
    after: async ({ puter }) => puter.setOutage(false),
  }),
  view({ name: 'options', path: 'options.html', shows: ['#account-state', /Signed in/] }),
  view({
    name: 'options-wrong',
    path: 'options.html',
    before: (rig) => setOptions(rig.browser, { defaultModel: 'claude-eco' }),
    on: async (_, page) => {
      await page.locator('#bridgeAddress').fill('http://127.0.0.1:5001/wrong');
      await page.locator('#test').click();
      await waitForText(page, '#test-outcome', /pages at \S+ answer/);
      await page.locator('summary').click();
      await page.locator('#reset').click();
      await waitForText(page, '#model-details', /no model/);
    },
    shows: ['#bridgeAddress-problem', /without a path/],
    after: (rig) => setOptions(rig.browser, { defaultModel: '' }),
  }),
  view({ name: 'options-narrow', path: 'options.html', size: 'phone', shows: ['#account-state', /Signed in/] }),
  view({
    name: 'welcome-start',
    path: 'welcome.html',
    before: async (rig) => {
      await signOut(rig);
      await toAddress(() => '127.0.0.1:2')(rig);
    },
    shows: ['#step-bridge', /No bridge/],
    after: async (rig) => {
      await back(rig);
      await signInAgain(rig);
    },
  }),
  view({
    name: 'welcome-must-pair',
    path: 'welcome.html',
    before: toStrictBridge,
    shows: ['#step-bridge', /Not paired/],
    after: leaveOther,
  }),
  view({
    name: 'welcome-done',
    path: 'welcome.html',
    on: (_, page) => page.locator('#try').click(),
    shows: ['#answer', /Answered by/],
  }),
  view({ name: 'bridge-ready', path: '/', shows: ['#live', /Ready/] }),
  view({ name: 'bridge-narrow', path: '/', size: 'phone', shows: ['#live', /Ready/] }),
  view({
    name: 'bridge-no-extension',
    path: '/',
    before: toAddress(() => '127.0.0.1:2'),
    shows: ['#live', /No extension/],
    after: back,
  }),
  view({
    name: 'bridge-pairing',
    path: '/',
    before: toStrictBridge,
    on: (_, page) => page.goto(other.url),
    shows: ['#pairing-code', /-/],
    after: leaveOther,
  }),
  view({
    name: 'bridge-disk-full',
    path: '/',
    before: toFullBridge,
    on: (_, page) => page.goto(other.url),
    shows: ['#live', /kept on disk/],
    after: leaveOther,
  }),
  view({ name: 'bridge-signed-in', path: '/auth/signed-in', shows: ['h1', /./] }),
  view({ name: 'bridge-sign-in-failed', path: '/auth/failed', shows: ['h1', /./] }),
];
