import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { defaultLimits } from '../../bridge/limits.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { pair, setOptions, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { testedBrowser } from '../browser/tested-browser.ts';

/** The small window: what runs, what waits, what ended, and what is left. */

let rig: Rig;
let popup: Page;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
  popup = await rig.browser.openPage('popup.html');
  await popup.setViewport({ width: 360, height: 600 });
});
afterAll(() => rig?.close());

const texts = (selector: string): Promise<string[]> =>
  popup.$$eval(selector, (found) => found.map((it) => it.textContent));
/** What was copied, read the way a person would see it: by pasting. */
async function paste(): Promise<string> {
  await popup.evaluate(() => {
    const field = document.createElement('textarea');
    document.body.append(field);
    field.focus();
  });
  if (testedBrowser === 'firefox') {
    await popup.keyboard.down('Control');
    await popup.keyboard.press('v');
    await popup.keyboard.up('Control');
  } else {
    // Keys that a debugger presses edit nothing in Chromium, unless it says what they do.
    await popup.keyboard.press('v', { commands: ['Paste'] });
  }
  return popup.$eval('textarea', (field) => {
    field.remove();
    return field.value;
  });
}

it('shows who asks which model and for how long, and how many wait', async () => {
  await setOptions(rig.browser, { lanes: 1 });
  await popup.bringToFront();
  const stop = new AbortController();
  // Else one failure would hold the lane, and all that come after it fail, too.
  onTestFinished(() => stop.abort());
  const call = rig.puter.nextCall();
  const send = (prompt: string) =>
    fetch(`${rig.bridge.url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'my-editor/1.2 (test)' },
      body: JSON.stringify({ prompt, model: 'hang' }),
      signal: stop.signal,
    }).catch(() => null);
  const answers = [send('A secret of mine')];
  await call;
  answers.push(send('second'), send('third'));
  expect(await waitForText(popup, '#running li', /hang/)).toMatch(/^hangmy-editor\/1\.2 \(test\)[\d.]+ m?sStop$/);
  // The bridge may tell of the first before the other has come.
  await waitForText(popup, '#queued', /^2 waiting$/);
  expect(await waitForText(popup, '#running .elapsed', /^[1-9]\.\d s$/)).toMatch(/s$/);
  expect(await popup.content()).not.toContain('secret of mine');
  stop.abort();
  await Promise.all(answers);
  await waitForText(popup, '#sentence', /Ready/);
  await setOptions(rig.browser, { lanes: 'auto' });
  await popup.bringToFront();
});

it('stops a call at Puter within 1 s, and tells its caller who stopped it', async () => {
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'x', model: 'hang' });
  const running = await call;
  const start = performance.now();
  await popup.locator('#running .stop').click();
  expect(await running.closed).toBe('aborted');
  expect(performance.now() - start).toBeLessThan(1000);
  expect(await answer).toMatchObject({ status: 499, body: { code: 'cancelled' } });
  expect((await answer).body['error']).toContain('popup');
  expect((await ask(rig.bridge.url, { prompt: 'Next' })).status).toBe(200);
});

it('keeps the last ten calls in view: model, tokens, time, or the reason, and never what was asked', async () => {
  for (let n = 0; n < 9; n += 1) await ask(rig.bridge.url, { prompt: `Prompt number ${n}`, model: 'echo' });
  await ask(rig.bridge.url, { prompt: 'Prompt number 9', model: 'fail:forbidden' });
  await waitForText(popup, '#finished li', /blocked by policy/);
  const rows = await texts('#finished li');
  expect(rows.length).toBe(10);
  expect(rows[0]).toMatch(/^✗fail:forbiddenPuter refused the call: Prompt blocked by policy/);
  expect(rows[1]).toMatch(/^✓echo\d+ tokens · [\d.]+ m?s$/);
  expect((await texts('body')).join()).not.toContain('Prompt number');
});

it('shows what is left of the month, refreshed after every answer', async () => {
  rig.puter.setRemaining(12_500_000);
  await ask(rig.bridge.url, { prompt: 'hi' });
  expect(await waitForText(popup, '#allowance-left', /0\.1/)).toBe('$0.13 of $0.25 left');
  expect(await popup.$eval('meter', (it) => it.value)).toBe(0.5);
  expect((await texts('#allowance'))[0]).toMatch(/free plan, 3 at once.*starts anew on 1 \w+$/);
});

it('takes base URL and curl line to the clipboard, and the line works', async () => {
  await popup.bringToFront();
  await popup.locator('.copyable .copy').click();
  await waitForText(popup, '.copyable .copy', /Copied/);
  expect(await paste()).toBe(rig.bridge.url);
  await popup.locator('main > section > .copy').click();
  await waitForText(popup, 'main > section > .copy', /Copied/);
  const [, url, header, body] = /^curl (\S+) -H '(.+)' -d '(.+)'$/.exec(await paste()) ?? [];
  expect([url, header]).toEqual([`${rig.bridge.url}/api/process`, 'Content-Type: application/json']);
  expect((await ask(rig.bridge.url, JSON.parse(body ?? '') as object)).body['result']).toBe('You said: Say hello');
});

it('does everything by keyboard alone, and shows where the keyboard is', async () => {
  await popup.reload();
  await waitForText(popup, '#sentence', /Ready/);
  await popup.keyboard.press('Tab');
  expect(await popup.evaluate(() => document.activeElement?.id)).toBe('pause');
  expect(await popup.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
  await popup.keyboard.press('Enter');
  await waitForText(popup, '#sentence', /Paused/);
  await popup.keyboard.press(' ');
  await waitForText(popup, '#sentence', /Ready/);
  const reached = new Set<string>();
  // Behind the last of them, the way leads out of the page.
  for (let n = 0; n < 20 && !reached.has('Sign out'); n += 1) {
    await popup.keyboard.press('Tab');
    reached.add((await popup.evaluate(() => document.activeElement?.textContent)) ?? '');
  }
  expect([...reached]).toEqual(expect.arrayContaining(['Copy', 'Copy curl', 'Options', 'Bridge page', 'Sign out']));
});

it('moves the focus to the light when the button that had it is done and gone', async () => {
  await popup.locator('#pause').click();
  await popup.waitForSelector('.fix');
  await popup.focus('.fix');
  await popup.keyboard.press('Enter');
  await waitForText(popup, '#sentence', /Ready/);
  expect(await popup.evaluate(() => document.activeElement?.id)).toBe('light');
});

it('keeps the focus where it is while what it shows changes', async () => {
  await popup.focus('#options');
  await ask(rig.bridge.url, { prompt: 'hi', model: 'utf8' });
  await waitForText(popup, '#finished li', /utf8/);
  expect(await popup.evaluate(() => document.activeElement?.id)).toBe('options');
});

it('is 360 px wide and at most 600 high, and nothing in it is wider, also with much to show', async () => {
  expect(await popup.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  const stop = new AbortController();
  const answers = [1, 2, 3].map((n) => ask(rig.bridge.url, { prompt: `${n}`, model: 'hang' }, stop.signal));
  await until(async () => (await popup.$$('#running li')).length === 3);
  expect(await popup.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  expect(await popup.evaluate(() => document.documentElement.scrollHeight)).toBe(600);
  stop.abort();
  await Promise.allSettled(answers);
});

it('shows long names whole, while they run and afterwards, and nothing is wider for it', async () => {
  // Puter refuses the first four tries, so that it runs for some seconds.
  const model = 'busy:4:openrouter:anthropic/claude-sonnet-4.5-20250929:thinking';
  const answer = ask(rig.bridge.url, { prompt: 'hi', model });
  for (const list of ['#running', '#finished']) {
    await waitForText(popup, `${list} li`, /claude-sonnet/);
    const hidden = await popup.$$eval(`${list} p`, (all) => all.map((it) => it.scrollWidth - it.clientWidth));
    expect(hidden).toEqual(hidden.map(() => 0));
    expect(await popup.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  }
  expect((await answer).status).toBe(200);
});

it('says that answers are lost with the bridge, where its disk fails', async () => {
  const limits = { ...defaultLimits, maxJournalBytes: 100_000 };
  const full = await startTemporaryBridge({ keepBytes: 10_000, limits }, () => {});
  onTestFinished(() => full.close());
  await setOptions(rig.browser, { bridgeAddress: full.url });
  if (testedBrowser === 'firefox') await pair(rig.browser, () => full.pairing()?.code ?? null);
  onTestFinished(() => setOptions(rig.browser, { bridgeAddress: rig.bridge.url }));
  await until(() => full.status.read().puter.reachable === true);
  await popup.bringToFront();
  expect(await popup.$('#durability')).toBeNull();
  expect((await ask(full.url, { prompt: 'x'.repeat(300_000), model: 'echo' })).status).toBe(200);
  expect(await waitForText(popup, '#durability', /lost/)).toMatch(/^The bridge’s disk fails/);
});
