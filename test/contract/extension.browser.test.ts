import { afterAll } from 'vitest';

import { setOptions } from '../browser/person.ts';
import { startRig, until, type Rig } from '../browser/rig.ts';
import { testedBrowser } from '../browser/tested-browser.ts';
import { describeChatCompletions } from './chat-completions-contract.ts';
import { describeClients } from './clients-contract.ts';
import { describeCompletions } from './completions-contract.ts';
import { describeModels } from './models-contract.ts';
import { describeProcessContract, type Subject } from './process-contract.ts';
import { describeToolsAndJson } from './tools-and-json-contract.ts';
import { describeSlowCallers } from './slow-caller-contract.ts';

const lanes = 3;

let starting: Promise<Rig> | undefined;
afterAll(async () => (await starting)?.close());

async function startOnce(): Promise<Rig> {
  // Of a paid account, whose rate these many calls keep to.
  const rig = await startRig({ account: { subscribed: true } });
  await rig.ready();
  await setOptions(rig.browser, { lanes });
  await until(() => rig.bridge.status.read().extensions[0]?.lanes.free === lanes);
  return rig;
}

/** One browser for all of them, as one serves all callers of a person. */
async function start(): Promise<Subject> {
  starting ??= startOnce();
  const { bridge, puter } = await starting;
  return { url: bridge.url, lanes, calls: puter.calls, nextCall: () => puter.nextCall(), close: async () => {} };
}

const subject = `the real extension in ${testedBrowser}`;

describeProcessContract(subject, start);
describeChatCompletions(subject, start);
describeToolsAndJson(subject, start);
describeCompletions(subject, start);
describeModels(subject, start);
describeClients(subject, start);
describeSlowCallers(subject, start);
