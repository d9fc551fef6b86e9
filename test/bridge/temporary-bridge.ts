import { startBridge, type Bridge } from '../../bridge/bridge.ts';
import { defaults, type Config } from '../../bridge/config.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';

/**
 * A bridge on any free port whose state folder comes and goes with it, so that no test reads or writes the person's.
 * What is unexpected breaks the test unless it listens.
 */
export async function startTemporaryBridge(
  config: Partial<Config> = {},
  onUnexpected: (error: unknown) => void = fail,
): Promise<Bridge> {
  const folder = await createTemporaryFolder('state');
  const bridge = await startBridge({ ...defaults, port: 0, stateDir: folder.dir, ...config }, { onUnexpected });
  return {
    ...bridge,
    async close() {
      await bridge.close();
      await folder.remove();
    },
  };
}

function fail(error: unknown): never {
  throw new Error('The bridge met something unexpected.', { cause: error });
}
