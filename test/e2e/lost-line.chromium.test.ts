import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { startCuttableLine, type CuttableLine } from '../browser/cuttable-line.ts';
import { setOptions } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';

/** In Chromium alone: a paired extension takes whatever answers at the line's own port for another than its bridge. */

let rig: Rig;
let line: CuttableLine;
beforeAll(async () => {
  rig = await startRig();
  await rig.ready();
  line = await startCuttableLine(Number(new URL(rig.bridge.url).port));
  await setOptions(rig.browser, { bridgeAddress: `http://127.0.0.1:${line.port}` });
});
beforeEach(async () => {
  line.mend();
  await until(() => rig.bridge.status.read().extensions.length === 1);
});
afterAll(async () => {
  await rig?.close();
  await line?.close();
});

const callsFor = (prompt: string) =>
  rig.puter.calls.filter(({ messages }) => JSON.stringify(messages).includes(prompt));

it('hands a finished answer in by HTTP while its socket cannot be had', async () => {
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'Finished alone', model: 'busy:2' });
  await call;
  // Puter refuses twice before it answers: by then the socket is gone, and stays gone.
  line.cut('sockets');
  await until(() => rig.bridge.status.read().extensions.length === 0);
  expect(await answer).toMatchObject({ status: 200, body: { result: 'You said: Finished alone' } });
  expect(rig.bridge.status.read().extensions).toEqual([]);
});

it('hands it in as soon as the line is back, where not even HTTP went through', async () => {
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'Finished in silence', model: 'busy:2' });
  await call;
  line.cut('everything');
  await until(() => callsFor('Finished in silence').some(({ status }) => status === 'finished'));
  line.mend();
  expect(await answer).toMatchObject({ status: 200, body: { result: 'You said: Finished in silence' } });
});

it('carries a stream on over a cut without losing or doubling a word, and without a second call', async () => {
  const call = rig.puter.nextCall();
  const answer = ask(rig.bridge.url, { prompt: 'Cut me', model: 'slow-stream' });
  await call;
  await until(() => rig.bridge.status.read().queue.running === 1);
  line.cut('everything');
  await until(() => rig.bridge.status.read().extensions.length === 0);
  line.mend();
  const { status, body } = await answer;
  expect(status).toBe(200);
  const whole = await ask(rig.bridge.url, { prompt: 'Whole', model: 'slow-stream' });
  expect(body['result']).toBe(whole.body['result']);
  expect(callsFor('Cut me').length).toBe(1);
});
