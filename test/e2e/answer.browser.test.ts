import { afterAll, beforeAll, expect, it } from 'vitest';

import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { onlyIn } from '../browser/tested-browser.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
});
afterAll(() => rig?.close());

it('answers through puter.ai.chat() with no tab open', async () => {
  expect(await rig.browser.openTabs()).toEqual([]);
  const { status, body } = await ask(rig.bridge.url, { prompt: 'Is anybody there?' });
  expect(status).toBe(200);
  expect(body['result']).toBe('You said: Is anybody there?');
  expect(rig.puter.calls.at(-1)).toMatchObject({ stream: true, status: 'finished' });
  expect(await rig.browser.openTabs()).toEqual([]);
});

onlyIn('chromium', 'Firefox has no service worker', () => {
  it('answers after the service worker was stopped, without needing it', async () => {
    await rig.chromium.stopServiceWorker();
    const { status } = await ask(rig.bridge.url, { prompt: 'Still there?' });
    expect(status).toBe(200);
    // Nothing debugs it: a debugged service worker would never stop by itself.
    await until(async () => !(await rig.chromium.serviceWorker())?.attached);
  });
});

it('loses the end of no answer', async () => {
  const answers = [];
  for (let n = 0; n < 24; n += 1) answers.push((await ask(rig.bridge.url, { prompt: `${n}` })).body['result']);
  expect(answers).toEqual(answers.map((_, n) => `You said: ${n}`));
});

it('is back within 3 s of the bridge’s return', async () => {
  await rig.restartBridge();
  const start = performance.now();
  await rig.ready();
  expect(performance.now() - start).toBeLessThan(3000);
  expect((await ask(rig.bridge.url, { prompt: 'Back?' })).body['result']).toBe('You said: Back?');
});

it('ends a call at Puter within 1 s when the bridge that wanted it is gone for good', async () => {
  const call = rig.puter.nextCall();
  // Silent, since Chromium keeps a connection for 5 s more where the cancel meets the very first bytes of an answer.
  const lost = ask(rig.bridge.url, { prompt: 'x', model: 'hang' });
  const running = await call;
  await Promise.all([rig.restartBridge(), expect(lost).resolves.toMatchObject({ status: 502 })]);
  await rig.ready();
  const start = performance.now();
  expect(await running.closed).toBe('aborted');
  expect(performance.now() - start).toBeLessThan(1000);
});

it('reloads itself for an update only once its calls have ended and the bridge has their answers', async () => {
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'x', model: 'slow-utf8' });
  await call;
  const page = await rig.browser.openPage('popup.html');
  await page.evaluate(() => chrome.runtime.sendMessage({ to: 'station', name: 'reloadOnceIdle' }));
  expect(await answer).toMatchObject({ status: 200 });
  await until(() => rig.bridge.status.read().extensions.length === 0);
  await rig.ready();
  expect((await ask(rig.bridge.url, { prompt: 'Updated?' })).body['result']).toBe('You said: Updated?');
});

onlyIn('chromium', 'the protocol of Firefox tells of no worker', () => {
  it('uses one lane again and again, and keeps no more workers than lanes and a spare', async () => {
    for (let n = 0; n < 5; n += 1) expect((await ask(rig.bridge.url, { prompt: `${n}` })).status).toBe(200);
    const workers = (await rig.chromium.targets()).filter(({ type }) => type === 'worker');
    expect(workers.length).toBeLessThanOrEqual(4);
  });
});

it('is signed in still after the browser was restarted', async () => {
  await rig.browser.restart();
  await until(() => rig.bridge.status.read().extensions.length === 1);
  await rig.ready();
  const { status, body } = await ask(rig.bridge.url, { prompt: 'Good morning' });
  expect([status, body['result']]).toEqual([200, 'You said: Good morning']);
});

onlyIn('chromium', 'Firefox starts an event page anew by itself', () => {
  it('says when Chrome has ended the crashed extension, and works again once it is reloaded', async () => {
    const call = rig.puter.nextCall();
    const interrupted = ask(rig.bridge.url, { prompt: 'x', model: 'slow-stream' });
    await call;
    const start = performance.now();
    await rig.chromium.crashOffscreen();
    await until(() => rig.bridge.status.read().extensions.length === 0);
    expect(performance.now() - start).toBeLessThan(3000);
    await rig.chromium.reloadExtension();
    // The new page of the same profile is the evidence that the old one's call is lost.
    expect(await interrupted).toMatchObject({ status: 502, body: { code: 'extension_disconnected' } });
    await rig.ready();
    expect((await ask(rig.bridge.url, { prompt: 'Again' })).status).toBe(200);
  });
});
