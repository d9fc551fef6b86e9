import { startRig } from '../browser/rig.ts';
import { describeProcessContract } from './process-contract.ts';

describeProcessContract('the real extension in Chromium', async () => {
  const rig = await startRig();
  await rig.ready();
  const { puter } = rig;
  const lanes = 3;
  const { url } = rig.bridge;
  return { url, lanes, calls: puter.calls, nextCall: () => puter.nextCall(), close: () => rig.close() };
});
