import { unlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';

import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

import { encodeFrame } from '#shared/protocol.ts';

import { readBadge, setOptions, signIn, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';

/** A bridge that lets nobody in whom it was not shown, and a person who types its code once. */

let rig: Rig;
let popup: Page;
beforeAll(async () => {
  rig = await startRig({ requirePairing: true, paired: false, signedIn: false });
});
afterAll(() => rig?.close());

const connected = () => rig.bridge.status.read().extensions.length === 1;

async function openPopup(): Promise<void> {
  popup = await rig.browser.openPage('popup.html');
  await popup.setViewport({ width: 360, height: 600 });
  await waitForText(popup, '#sentence', /./);
}

/** As it stands on the bridge's own page. */
async function readPage(): Promise<string> {
  const page = await rig.browser.newPage();
  await page.goto(rig.bridge.url);
  const code = await waitForText(page, '#pairing-code', /^\w{4}-\w{4}$/);
  expect(await page.$eval('#live', (it) => it.textContent)).toContain(rig.browser.origin);
  await page.close();
  await popup.bringToFront();
  return code;
}

async function type(text: string): Promise<void> {
  await popup.bringToFront();
  await popup.focus('#pairing-code');
  await popup.$eval('#pairing-code', (it) => (it as HTMLInputElement).select());
  await popup.keyboard.type(text);
  await popup.keyboard.press('Enter');
}

const problem = (pattern: RegExp) => waitForText(popup, '#pairing-problem', pattern);

describe('an extension that is not paired', () => {
  it('says so on its badge and in the popup, which asks for the code at once', async () => {
    await openPopup();
    const { host } = new URL(rig.bridge.url);
    expect(await waitForText(popup, '#sentence', /Not paired/)).toBe(`Not paired with ${host} yet.`);
    await popup.waitForSelector('#pairing-code');
    expect(await popup.evaluate(() => document.activeElement?.id)).toBe('pairing-code');
    await until(async () => (await readBadge(rig.browser)).text === '!');
    expect((await readBadge(rig.browser)).title).toContain('Not paired');
  });

  it('gets no call: caller and status are told why', async () => {
    const { body } = await ask(rig.bridge.url, { prompt: 'x' });
    expect([body['code'], body['error']]).toEqual([
      'extension_not_connected',
      expect.stringMatching(/not paired.*type the code/) as string,
    ]);
    expect(rig.bridge.status.read().hops.bridge).toMatchObject({ state: 'must_pair', fix: 'pair' });
    expect(connected()).toBe(false);
  });

  it('says what is wrong with what was typed, in the field that it stands in', async () => {
    await type('hello');
    expect(await problem(/./)).toContain('8 letters and digits');
    const code = await readPage();
    await type(`${code.slice(0, -1)}${code.endsWith('2') ? '3' : '2'}`);
    expect(await problem(/not the code/)).toContain('look again');
    const [id, selected] = await popup.evaluate(() => {
      const field = document.activeElement as HTMLInputElement;
      return [field.id, (field.selectionEnd ?? 0) - (field.selectionStart ?? 0)];
    });
    expect([id, selected]).toEqual(['pairing-code', 9]);
    expect(await popup.$eval('#pairing-code', (it) => it.getAttribute('aria-invalid'))).toBe('true');
  });

  it('is paired by the code from the bridge’s page, in whatever case and however parted', async () => {
    const code = await readPage();
    await type(` ${code.replace('-', ' ').toLowerCase()}`);
    await waitForText(popup, '#hop-bridge', /Connected/);
    expect(await popup.$('#pairing-code')).toBeNull();
    await until(connected);
    expect(rig.bridge.pairing()).toBeNull();
    await popup.close();
  });

  it('then answers calls as any other', async () => {
    await signIn(rig.browser);
    await rig.ready();
    expect((await ask(rig.bridge.url, { prompt: 'Paired?' })).body['result']).toBe('You said: Paired?');
  });
});

describe('without a code it is let in', () => {
  it('when the bridge is started anew', async () => {
    await rig.restartBridge();
    await rig.ready();
    expect((await ask(rig.bridge.url, { prompt: 'Back?' })).status).toBe(200);
    expect(rig.bridge.pairing()).toBeNull();
  });

  it('when the browser is started anew', async () => {
    await rig.browser.restart();
    await until(connected);
    await rig.ready();
    expect((await ask(rig.bridge.url, { prompt: 'Good morning' })).status).toBe(200);
    expect(rig.bridge.pairing()).toBeNull();
  });

  it('when another address of the same bridge is set, and at the first again', async () => {
    const { url } = rig.bridge;
    await setOptions(rig.browser, { bridgeAddress: '127.0.0.1:2' });
    await until(() => !connected());
    await setOptions(rig.browser, { bridgeAddress: url });
    await until(connected);
  });
});

it('keeps the secret to its background: no page shows it, and no diagnostics', async () => {
  const options = await rig.browser.openPage('options.html');
  await options.waitForSelector('#diagnostics');
  const { pairings } = await options.evaluate(() => chrome.storage.local.get('pairings'));
  const [{ address, secret } = { address: '', secret: '' }] = pairings as { address: string; secret: string }[];
  expect([address, secret]).toEqual([rig.bridge.url, expect.stringMatching(/^[\da-f]{64}$/)]);
  expect(await options.content()).not.toContain(secret);
  expect(JSON.stringify(rig.bridge.status.read())).not.toContain(secret);
  await options.close();
});

it('tells a program in the bridge’s place nothing, and the person that it is another', async () => {
  const heard: string[] = [];
  const { port } = new URL(rig.bridge.url);
  await rig.stopBridge();
  const impostor = createServer((_, response) => {
    response.setHeader('Access-Control-Allow-Origin', rig.browser.origin).end('{"status":"ok"}');
  });
  new WebSocketServer({ server: impostor }).on('connection', (socket) => {
    // It would rather have no proof of anything.
    socket.send(encodeFrame({ type: 'challenge', nonce: '0'.repeat(64), mustPair: false }));
    socket.on('message', (data: Buffer) => {
      heard.push((JSON.parse(data.toString('utf8')) as { type: string }).type);
      socket.send(encodeFrame({ type: 'welcome', version: '1', secret: 'x', resume: [] }));
    });
  });
  impostor.listen(Number(port), '127.0.0.1');
  const end = () => {
    impostor.close();
    impostor.closeAllConnections();
  };
  onTestFinished(end);
  await openPopup();
  expect(await waitForText(popup, '#sentence', /not the bridge/)).toContain('you paired with');
  expect(new Set(heard)).toEqual(new Set(['auth']));
  await popup.close();
  end();
  await rig.restartBridge();
  await rig.ready();
});

it('is unpaired by deleting the bridge’s file, and paired again by a new code', async () => {
  await unlink(path.join(rig.stateDir, 'pairings.json'));
  await until(() => !connected());
  await openPopup();
  await waitForText(popup, '#sentence', /Not paired/);
  await type(await readPage());
  await waitForText(popup, '#hop-bridge', /Connected/);
  await rig.ready();
  expect((await ask(rig.bridge.url, { prompt: 'Again?' })).status).toBe(200);
});
