import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { subprotocol } from '#shared/protocol.ts';

import { waitForText } from '../browser/person.ts';
import { ask, startRig, type Rig } from '../browser/rig.ts';
import { createKey, revokeKey } from '../../bridge/keys/keys.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
});
afterAll(() => rig?.close());

it('shows the live state of the three hops, and follows it', async () => {
  const page = await rig.browser.newPage();
  const refused: string[] = [];
  page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
  await page.goto(rig.bridge.url);
  expect(await waitForText(page, '#live', /Ready/)).toContain(`Signed in as ${rig.puter.username}`);

  const call = rig.puter.nextCall();
  const stop = new AbortController();
  const answer = ask(rig.bridge.url, { prompt: 'x', model: 'hang' }, stop.signal);
  await call;
  expect(await waitForText(page, '#live', /1 running/)).toContain('1 of 3 lanes busy');
  stop.abort();
  await expect(answer).rejects.toThrow('aborted');
  expect(await waitForText(page, '#live', /0 of 3 lanes busy/)).toContain('0 running');
  // Nothing that the page itself does is held back by its content security policy.
  expect(refused).toEqual([]);

  rig.puter.expireSession();
  await ask(rig.bridge.url, { prompt: 'x' });
  expect(await waitForText(page, '#live', /ended the session/)).toContain('Sign in to Puter');
});

it('says that the bridge is gone, and is right again once it is back', async () => {
  const page = await rig.browser.newPage();
  await page.goto(rig.bridge.url);
  await waitForText(page, '#live', /Bridge/);
  const back = rig.restartBridge();
  await waitForText(page, '#live', /does not answer/);
  await back;
  await waitForText(page, '#live', /version \d/);
});

it('of a bridge with keys shows its state to whoever types one in, and follows it until the key is revoked', async () => {
  const { dir, remove } = await createTemporaryFolder('state');
  const key = createKey(dir, 'laptop', new Date());
  createKey(dir, 'phone', new Date());
  const bridge = await startTemporaryBridge({ stateDir: dir });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(async () => {
    extension.close();
    await bridge.close();
    await remove();
  });
  const page = await rig.browser.newPage();
  await page.goto(bridge.url);
  const unlock = async (typed: string) => {
    await page.locator('#key').fill(typed);
    await page.locator('#unlock button').click();
  };
  expect(await waitForText(page, '#live', /This bridge has keys/)).not.toContain('Fake 1');
  await unlock('wrong');
  await waitForText(page, '#live', /no such key/);
  await unlock(key);
  expect(await waitForText(page, '#live', /Fake 1/)).toContain('Signed in as fake');
  extension.tell({ paused: true });
  await waitForText(page, '#live', /Fake 1, version 0\.0\.0: paused/);
  expect(await page.evaluate(() => document.cookie + JSON.stringify([localStorage, sessionStorage]))).toBe('[{},{}]');
  revokeKey(dir, 'laptop');
  expect(await waitForText(page, '#live', /This bridge has keys/)).not.toContain('Fake 1');
});

it.each([
  ['while it shows its state', false],
  ['while that is away', true],
])('of a bridge that gets its first key %s asks for one', async (_, isAway) => {
  const { dir, remove } = await createTemporaryFolder('state');
  let bridge = await startTemporaryBridge({ stateDir: dir });
  onTestFinished(async () => {
    await bridge.close();
    await remove();
  });
  const page = await rig.browser.newPage();
  await page.goto(bridge.url);
  await waitForText(page, '#live', /No extension is connected/);
  if (isAway) await bridge.close();
  const key = createKey(dir, 'laptop', new Date());
  if (isAway) bridge = await startTemporaryBridge({ stateDir: dir, port: Number(new URL(bridge.url).port) });
  await waitForText(page, '#live', /This bridge has keys/);
  await page.locator('#key').fill(key);
  await page.locator('#unlock button').click();
  await waitForText(page, '#live', /No extension is connected/);
});

it('lets no other page call the bridge from the browser', async () => {
  const page = await rig.browser.newPage();
  // Not JSON, which Firefox shows on a page that may open no socket.
  await page.goto(`${rig.puter.origin}/?action=authme&redirectURL=${encodeURIComponent(rig.puter.origin)}`);
  const before = rig.puter.calls.length;
  const outcome = await page.evaluate(
    async (url, subprotocol) => {
      const json = fetch(`${url}/api/process`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"prompt":"stolen"}',
      });
      const simple = fetch(`${url}/api/process`, { method: 'POST', mode: 'no-cors', body: '{"prompt":"stolen"}' });
      const socket = new Promise((resolve) => {
        const it = new WebSocket(`${url.replace('http', 'ws')}/ws`, subprotocol);
        it.addEventListener('open', () => resolve('open'));
        it.addEventListener('error', () => resolve('refused'));
      });
      return Promise.all([
        json.catch(() => 'refused'),
        simple.then(
          () => 'sent',
          () => 'refused',
        ),
        socket,
      ]);
    },
    rig.bridge.url,
    subprotocol,
  );
  expect(outcome[0]).toBe('refused');
  expect(outcome[2]).toBe('refused');
  expect(rig.puter.calls.length).toBe(before);
});
