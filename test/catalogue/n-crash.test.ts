import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { asLeft } from '../bridge/journal/as-left.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { startProcess, temporaryStateDir } from './bridge-process.ts';

/** What is left when the bridge is killed, at any moment. */

const rounds = 30;

const random = (count: number): number => Math.floor(Math.random() * count);

/** Sends one request after the other until the bridge is gone, and remembers each answer that came. */
async function askOn(url: string, onAnswer: (id: string, result: string) => void): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${url}/api/process`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
        // From a part of a page of the database to some of them.
        body: JSON.stringify({ prompt: 'x'.repeat(1 + random(20_000)), model: 'echo' }),
      });
      const { request_id: id, result } = (await response.json()) as { request_id: string; result: string };
      onAnswer(id, result);
    } catch {
      return;
    }
  }
}

it('N10 N9 every answer that came is there, whenever and however often the bridge was killed', async () => {
  const stateDir = await temporaryStateDir();
  const answers = new Map<string, string>();
  for (let round = 0; round < rounds; round += 1) {
    const bridge = await startProcess({ stateDir });
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    const enough = Promise.withResolvers<void>();
    const wanted = answers.size + random(20);
    const remember = (id: string, result: string) => {
      answers.set(id, result);
      if (answers.size > wanted) enough.resolve();
    };
    const asking = [1, 2, 3].map(() => askOn(bridge.url, remember));
    await enough.promise;
    for (let turns = random(20); turns > 0; turns -= 1) await nextTurn();
    bridge.child.kill('SIGKILL');
    await Promise.all([bridge.ended, ...asking]);
    extension.close();
    const lost = asLeft(stateDir, (journal) => {
      expect(journal.condition).toEqual({ trouble: null, wasPutAside: false, unreadable: 0 });
      return [...answers.keys()].filter((id) => journal.find(id)?.status !== 'success');
    });
    expect(lost).toEqual([]);
  }
  const bridge = await startProcess({ stateDir });
  for (const [id, result] of answers) {
    const response = await fetch(`${bridge.url}/api/result/${id}`);
    expect([response.status, ((await response.json()) as { result: string }).result]).toEqual([200, result]);
  }
  expect(answers.size).toBeGreaterThanOrEqual(rounds);
  expect(await (await fetch(`${bridge.url}/api/status`)).json()).toMatchObject({ durability: 'full', notices: [] });
}, 240_000);
