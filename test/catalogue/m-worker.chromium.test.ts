import { afterAll, beforeAll, expect, it } from 'vitest';

import { ask, startRig, type Rig } from '../browser/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
});
afterAll(() => rig?.close());

it('M15 the death of the service worker touches neither the socket nor a call, which a page beside it holds', async () => {
  const connected = () => rig.bridge.status.read().extensions.map(({ since }) => since);
  const before = connected();
  const reached = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'x', model: 'slow-utf8' });
  const call = await reached;
  await rig.chromium.stopServiceWorker();
  expect((await answer).status).toBe(200);
  expect(await call.closed).toBe('finished');
  const calls = rig.puter.calls.length;
  // A call that comes while it is dead needs it no more than the one that ran.
  expect((await ask(rig.bridge.url, { prompt: 'Still there?' })).status).toBe(200);
  expect(rig.puter.calls.length).toBe(calls + 1);
  expect(connected()).toEqual(before);
});
