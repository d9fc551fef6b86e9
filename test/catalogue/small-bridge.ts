/** The entry of a bridge in a process of its own, with the limits of a test: a config as JSON is its one argument. */

import { startBridge } from '../../bridge/bridge.ts';
import { defaults, type Config } from '../../bridge/config.ts';

const { stateDir, limits, ...config } = JSON.parse(process.argv[2] ?? '') as Partial<Config> & { stateDir: string };
const bridge = await startBridge(
  { ...defaults, port: 0, stateDir, ...config, limits: { ...defaults.limits, ...limits } },
  {
    onUnexpected(error) {
      throw error;
    },
  },
);
console.log(bridge.url);
