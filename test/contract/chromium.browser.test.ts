import { setOptions } from '../browser/person.ts';
import { startRig, until } from '../browser/rig.ts';
import { describeChatCompletions } from './chat-completions-contract.ts';
import { describeClients } from './clients-contract.ts';
import { describeCompletions } from './completions-contract.ts';
import { describeModels } from './models-contract.ts';
import { describeProcessContract, type Subject } from './process-contract.ts';
import { describeToolsAndJson } from './tools-and-json-contract.ts';
import { describeSlowCallers } from './slow-caller-contract.ts';

async function start(): Promise<Subject> {
  // Of a paid account, whose rate these many calls keep to.
  const rig = await startRig({ account: { subscribed: true } });
  await rig.ready();
  const { puter } = rig;
  const lanes = 3;
  await setOptions(rig.chromium, { lanes });
  await until(() => rig.bridge.status.read().extensions[0]?.lanes.free === lanes);
  const { url } = rig.bridge;
  return { url, lanes, calls: puter.calls, nextCall: () => puter.nextCall(), close: () => rig.close() };
}

describeProcessContract('the real extension in Chromium', start);
describeChatCompletions('the real extension in Chromium', start);
describeToolsAndJson('the real extension in Chromium', start);
describeCompletions('the real extension in Chromium', start);
describeModels('the real extension in Chromium', start);
describeClients('the real extension in Chromium', start);
describeSlowCallers('the real extension in Chromium', start);
