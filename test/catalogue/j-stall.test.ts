import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { expect, it, onTestFinished } from 'vitest';

import { json } from './bridge-rig.ts';
import { temporaryStateDir } from './bridge-process.ts';
import { connectExtension } from './extension-rig.ts';

/** A bridge that stands still for a while, as on a machine that sleeps. */

const heartbeatMs = 1000;

async function startSmallBridge(config: object) {
  const entry = fileURLToPath(new URL('./small-bridge.ts', import.meta.url));
  const argument = json({ ...config, stateDir: await temporaryStateDir() });
  const child = spawn(process.execPath, [entry, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const statusOf = async () => (await (await fetch(`${url}/api/status`)).json()) as { extensions: object[] };
  return {
    url,
    statusOf,
    /** Stops it while `meanwhile` runs, and for many heartbeats. */
    async stall(meanwhile: () => void) {
      child.kill('SIGSTOP');
      meanwhile();
      await delay(heartbeatMs * 5);
      child.kill('SIGCONT');
    },
  };
}

const ask = (url: string, prompt: string) =>
  fetch(`${url}/api/process`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: json({ prompt }),
  });

it('J12 K7 gives up no extension and no call for the time in which it stood still, and sends nothing again', async () => {
  // Each is over by the time it wakes.
  const { url, statusOf, stall } = await startSmallBridge({
    ackMs: heartbeatMs * 4,
    firstTokenMs: heartbeatMs * 4,
    limits: { heartbeatMs },
  });
  const extension = await connectExtension(url, { lanes: 2 });
  const answers = [ask(url, 'one'), ask(url, 'two'), ask(url, 'three')];
  const [unheard, started] = [await extension.next('request'), await extension.next('request')];
  extension.start(started);
  // Two pings without an answer: with the next beat it would be given up.
  await extension.pings(2);
  await stall(() => {
    extension.start(unheard);
    extension.chunk(started, 0, 'in time');
  });
  void extension.pong(0);
  extension.end(started, 1);
  extension.answer(unheard, 'in time');
  extension.answer(await extension.next('request'), 'later');
  const bodies = await Promise.all(answers.map(async (it) => (await it).json() as Promise<{ result: string }>));
  expect(bodies.map(({ result }) => result).sort()).toEqual(['in time', 'in time', 'later']);
  expect(new Set(extension.requests).size).toBe(3);
  expect(extension.requests).toHaveLength(3);
  expect(extension.cancels).toEqual([]);
  expect((await statusOf()).extensions).toHaveLength(1);
  await extension.close();
});

it('J12 gives up one that was gone all the while, once it has had its time', async () => {
  const { url, statusOf, stall } = await startSmallBridge({ limits: { heartbeatMs: 100 } });
  const extension = await connectExtension(url);
  extension.client.socket.pause();
  await stall(() => {});
  await expect.poll(async () => (await statusOf()).extensions, { timeout: 5000 }).toEqual([]);
  extension.client.socket.terminate();
});
