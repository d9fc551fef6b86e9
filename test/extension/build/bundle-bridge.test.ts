import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';

import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { bundleBridge } from '../../../extension/build/bundle-bridge.ts';
import { startProcess, type BridgeProcess } from '../../catalogue/bridge-process.ts';
import { startFakeExtension } from '../../contract/fake-extension.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../temporary-folder.ts';

/** The bridge as `npm start` runs it. */
describe('the bundled bridge', () => {
  let folder: TemporaryFolder;
  let entry: string;
  beforeAll(async () => {
    folder = await createTemporaryFolder('bundle');
    const { bridgePath } = await bundleBridge(folder.dir);
    entry = `${bridgePath}/main.js`;
  });
  afterAll(() => folder?.remove());

  it('starts from one file of at most 1.5 MB', async () => {
    expect((await stat(entry)).size).toBeLessThanOrEqual(1_500_000);
  });

  it('reads nothing of Node for it that only a client would need', () => {
    const { stdout } = spawnSync(process.execPath, ['--import', tellOfModules, entry, '--version'], {
      encoding: 'utf8',
    });
    const parts = stdout.split('\n');
    expect(parts).toContain('NativeModule http');
    expect(parts.filter((part) => /undici|https|tls|http2|\btty\b/.test(part))).toEqual([]);
  });

  it('finds its page, and what that is painted with', async () => {
    const { url } = await startProcess({ entry });
    for (const path of ['/', '/page.css', '/style.css', '/icon.svg']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
  });

  it('finds its threads: it counts tokens, and knows a JSON Schema from what is none', async () => {
    const bridge = await startProcess({ entry });
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    onTestFinished(() => extension.close());
    const answer = await complete(bridge, { model: 'fake' });
    const { choices, usage } = answer as { choices: { message: { content: string } }[]; usage: object };
    const tokens = countTokens(choices[0]?.message.content ?? '');
    expect(usage).toMatchObject({ completion_tokens: tokens, estimated: true });
    const schema = { name: 'x', schema: { type: 'nothing that there is' } };
    const refusal = await complete(bridge, { response_format: { type: 'json_schema', json_schema: schema } });
    expect(refusal).toMatchObject({
      error: { message: expect.stringMatching(/no valid JSON Schema: .*type/) as string },
    });
  });
});

const tellOfModules = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => console.log(process.moduleLoadList.join('\\n')));",
)}`;

async function complete({ url }: BridgeProcess, body: object): Promise<unknown> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Hello' }], ...body }),
  });
  return answer.json();
}
