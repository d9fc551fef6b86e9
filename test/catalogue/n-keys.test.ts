import { expect, it, onTestFinished } from 'vitest';

import { createKey, revokeKey } from '../../bridge/keys/keys.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { temporaryStateDir } from './bridge-process.ts';

it('N16 what was asked with one key is not told to another', async () => {
  const stateDir = await temporaryStateDir();
  const [mine, theirs] = ['mine', 'theirs'].map((name) => createKey(stateDir, name, new Date())) as [string, string];
  const fresh = await startTemporaryBridge({ stateDir });
  onTestFinished(() => fresh.close());
  const helper = await startFakeExtension({ bridgeUrl: fresh.url });
  onTestFinished(() => helper.close());
  const ask = (path: string, given: string, options: RequestInit = {}) =>
    fetch(fresh.url + path, { ...options, headers: { 'x-api-key': given, 'Content-Type': 'application/json' } });
  const answer = await ask('/api/process', mine, { method: 'POST', body: '{"prompt":"x"}' });
  const { request_id: id } = (await answer.json()) as { request_id: string };
  for (const path of [`/api/result/${id}`, `/api/requests/${id}`]) {
    expect([(await ask(path, mine)).status, (await ask(path, theirs)).status]).toEqual([200, 404]);
  }
  expect((await ask(`/api/requests/${id}`, theirs, { method: 'DELETE' })).status).toBe(404);
  const listed = async (given: string) =>
    ((await (await ask('/api/requests', given)).json()) as { requests: [] }).requests;
  expect([(await listed(mine)).length, (await listed(theirs)).length]).toEqual([1, 0]);
  // However much the other asks.
  for (let count = 0; count < 101; count += 1)
    await (await ask('/api/process', theirs, { method: 'POST', body: '{"prompt":"x"}' })).text();
  expect([(await listed(mine)).length, (await listed(theirs)).length]).toEqual([1, 100]);
});

it('N4 N16 a key is no other one that had its name before', async () => {
  const stateDir = await temporaryStateDir();
  const former = createKey(stateDir, 'laptop', new Date());
  const fresh = await startTemporaryBridge({ stateDir });
  onTestFinished(() => fresh.close());
  const helper = await startFakeExtension({ bridgeUrl: fresh.url });
  onTestFinished(() => helper.close());
  const post = async (given: string) => {
    const answer = await fetch(`${fresh.url}/api/process`, {
      method: 'POST',
      headers: { 'x-api-key': given, 'Content-Type': 'application/json', 'Idempotency-Key': 'k' },
      body: '{"prompt":"x"}',
    });
    return [answer.status, ((await answer.json()) as { request_id: string }).request_id] as const;
  };
  const [, id] = await post(former);
  revokeKey(stateDir, 'laptop');
  const latter = createKey(stateDir, 'laptop', new Date());
  const get = async (path: string) => (await fetch(fresh.url + path, { headers: { 'x-api-key': latter } })).text();
  expect(await get(`/api/result/${id}`)).toContain('not_found');
  expect(await get('/api/requests')).not.toContain(id);
  expect(await post(latter)).toEqual([200, expect.not.stringContaining(id)]);
  expect(helper.calls).toHaveLength(2);
});
