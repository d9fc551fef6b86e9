import { startRig } from '../browser/rig.ts';
import { describeChatCompletions } from './chat-completions-contract.ts';
import { describeProcessContract, type Subject } from './process-contract.ts';
import { describeSlowCallers } from './slow-caller-contract.ts';

async function start(): Promise<Subject> {
  const rig = await startRig();
  await rig.ready();
  const { puter } = rig;
  const lanes = 3;
  const { url } = rig.bridge;
  return { url, lanes, calls: puter.calls, nextCall: () => puter.nextCall(), close: () => rig.close() };
}

describeProcessContract('the real extension in Chromium', start);
describeChatCompletions('the real extension in Chromium', start);
describeSlowCallers('the real extension in Chromium', start);
