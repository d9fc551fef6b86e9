import { onTestFinished } from 'vitest';

import type { Bridge } from '../../../bridge/bridge.ts';
import type { Config } from '../../../bridge/config.ts';
import { startFakeExtension, type FakeExtension } from '../../contract/fake-extension.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';

/** A bridge and a fake extension for one test, and the requests of callers. */
interface Rig {
  bridge: Bridge;
  extension: FakeExtension;
  post: ReturnType<typeof postTo>;
}

export async function start(config: Partial<Config> = {}, lanes = 3): Promise<Rig> {
  const bridge = await startTemporaryBridge(config);
  onTestFinished(() => bridge.close());
  const extension = await startFakeExtension({ bridgeUrl: bridge.url, lanes });
  onTestFinished(() => extension.close());
  return { bridge, extension, post: postTo(bridge) };
}

/** Sends the requests of one caller. */
export const postTo =
  ({ url }: Pick<Bridge, 'url'>) =>
  (path: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'test', ...headers },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });

export const process = '/api/process';
export const chat = '/v1/chat/completions';
export const ask = (content: string, model = 'echo') => ({ model, messages: [{ role: 'user', content }] });
export const keyed = (key: string) => ({ 'Idempotency-Key': key });
