import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { describe, expect, it, onTestFinished } from 'vitest';

import { startFakeExtension, type FakeExtension } from '../../contract/fake-extension.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';

const main = fileURLToPath(new URL('../../../bridge/main.ts', import.meta.url));

/** A bridge that can be killed, and started again on the same port with the same folder. */
async function startProcess(folder: string, port = 0, ...args: string[]) {
  const child = spawn(process.execPath, [main, '--port', `${port}`, '--state-dir', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  await expect.poll(() => output, { timeout: 10_000 }).toMatch(/listens on/);
  const url = /listens on (http:\S+)/.exec(output)?.[1] ?? '';
  return {
    url,
    output: () => output,
    port: Number(new URL(url).port),
    async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') {
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

const ask = (url: string, body: object, headers: Record<string, string> = {}, path = '/api/process') =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const resultOf = async (url: string, id: unknown) => {
  const response = await fetch(`${url}/api/result/${String(id)}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

async function start(...args: string[]) {
  const folder = await createTemporaryFolder('state');
  onTestFinished(() => folder.remove());
  const bridge = await startProcess(folder.dir, 0, ...args);
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  return { folder: folder.dir, bridge, extension };
}

async function begin(bridge: { url: string }, extension: FakeExtension, model: string): Promise<unknown> {
  const call = extension.nextCall();
  const response = await ask(bridge.url, { prompt: 'x', model, wait: false });
  await call;
  return ((await response.json()) as { request_id: string }).request_id;
}

it('N9 an answer is there after the bridge was killed', async () => {
  const { folder, bridge, extension } = await start();
  const { request_id: id } = (await (await ask(bridge.url, { prompt: 'kept' })).json()) as { request_id: string };
  await bridge.kill();
  extension.close();
  const again = await startProcess(folder, bridge.port);
  expect(await resultOf(again.url, id)).toMatchObject({ status: 200, body: { result: 'You said: kept' } });
});

it(
  'N10 an answer that was acknowledged is there, however soon the bridge was killed',
  { timeout: 20_000 },
  async () => {
    const { folder, bridge, extension } = await start();
    // Puter counts nothing for it, and counting here takes a moment.
    const id = await begin(bridge, extension, 'fake');
    await expect.poll(() => extension.heldRequests(), { timeout: 10_000, interval: 1 }).toEqual([]);
    await bridge.kill();
    extension.close();
    const again = await startProcess(folder, bridge.port);
    expect(await resultOf(again.url, id)).toMatchObject({ status: 200, body: { status: 'success' } });
  },
);

it('M5 an answer that was on its way when the bridge was killed comes all the same, from one call', async () => {
  const { folder, bridge, extension } = await start();
  const id = await begin(bridge, extension, 'slow-utf8');
  await bridge.kill();
  const again = await startProcess(folder, bridge.port);
  expect((await resultOf(again.url, id)).body).toMatchObject({ status: 'pending' });
  await extension.reconnect();
  await expect.poll(async () => (await resultOf(again.url, id)).status, { timeout: 10_000 }).toBe(200);
  expect((await resultOf(again.url, id)).body).toMatchObject({
    result: 'Grüße aus Zürich — 日本語のテキスト 🦊👩‍🚀 fin',
  });
  expect(extension.calls).toHaveLength(1);
});

it('M6 an answer is kept that comes after a restart, when the bridge stopped while its line was down', async () => {
  const { folder, bridge, extension } = await start('--drain', '0');
  const call = extension.nextCall();
  const id = await begin(bridge, extension, 'slow-utf8');
  extension.drop();
  await bridge.kill('SIGTERM');
  await (
    await call
  ).closed;
  const again = await startProcess(folder, bridge.port);
  expect((await resultOf(again.url, id)).body).toMatchObject({ code: 'bridge_shutdown' });
  await extension.reconnect();
  await expect.poll(() => extension.heldRequests()).toEqual([]);
  expect(await resultOf(again.url, id)).toMatchObject({ status: 200, body: { status: 'success' } });
});

describe('an answer with an Idempotency-Key that came after a restart', () => {
  /** What comes back on the same request, when the bridge was killed while its answer was on the way. */
  async function askAcrossRestart(chat: object, model: string) {
    const { folder, bridge, extension } = await start();
    const body = { model, messages: [{ role: 'user', content: 'x' }], ...chat };
    const again = (url: string) => ask(url, body, { 'Idempotency-Key': 'k' }, '/v1/chat/completions');
    const call = extension.nextCall();
    const cut = again(bridge.url).catch(() => null);
    const running = await call;
    await bridge.kill();
    await cut;
    await running.closed;
    const second = await startProcess(folder, bridge.port);
    await extension.reconnect();
    await expect.poll(async () => (await again(second.url)).status, { timeout: 10_000 }).not.toBe(409);
    const answer = await again(second.url);
    expect(extension.calls).toHaveLength(1);
    return [answer.status, await answer.json()] as const;
  }

  it('N1 ends at its stop and has its usage', async () => {
    expect(await askAcrossRestart({ stop: ['日本語'] }, 'slow-utf8')).toMatchObject([
      200,
      { choices: [{ message: { content: 'Grüße aus Zürich — ' }, finish_reason: 'stop' }], usage: {} },
    ]);
  });

  it('N1 is none where it is not what was asked for', async () => {
    const schema = { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] };
    const format = { type: 'json_schema', json_schema: { name: 'place', schema } };
    const [status, body] = await askAcrossRestart({ response_format: format }, 'slow-utf8');
    expect([status, body]).toMatchObject([200, { choices: [{ message: { content: null } }] }]);
    expect(JSON.stringify(body)).toContain('refusal');
  });
});

it('M3 is honest where the extension lost it, too', async () => {
  const { folder, bridge, extension } = await start();
  const id = await begin(bridge, extension, 'hang');
  await bridge.kill();
  extension.close();
  const again = await startProcess(folder, bridge.port);
  expect(await resultOf(again.url, id)).toMatchObject({ status: 202, body: { status: 'pending', state: 'unknown' } });
  const list = (await (await fetch(`${again.url}/api/requests`)).json()) as { requests: object[] };
  expect(list.requests[0]).toMatchObject({ request_id: id, status: 'unknown' });
  const stopped = await fetch(`${again.url}/api/requests/${String(id)}`, { method: 'DELETE' });
  expect(await stopped.json()).toEqual({ request_id: id, status: 'cancelled' });
  await expect.poll(() => resultOf(again.url, id)).toMatchObject({ status: 499, body: { code: 'cancelled' } });
});

it('M3 stops a call that runs on where it is told to, after a restart, too', async () => {
  const { folder, bridge, extension } = await start();
  const call = extension.nextCall();
  const id = await begin(bridge, extension, 'hang');
  await bridge.kill();
  const again = await startProcess(folder, bridge.port);
  await extension.reconnect();
  await fetch(`${again.url}/api/requests/${String(id)}`, { method: 'DELETE' });
  await (
    await call
  ).closed;
  await expect.poll(() => resultOf(again.url, id)).toMatchObject({ status: 499, body: { code: 'cancelled' } });
});

it('says of a request that never went out that it may be sent again', async () => {
  const { folder, bridge, extension } = await start();
  extension.close();
  const connected = async () =>
    ((await (await fetch(`${bridge.url}/api/status`)).json()) as { extensions: [] }).extensions;
  await expect.poll(connected).toEqual([]);
  const response = await ask(bridge.url, { prompt: 'x', wait: false });
  const { request_id: id } = (await response.json()) as { request_id: string };
  await bridge.kill();
  const again = await startProcess(folder, bridge.port);
  expect((await resultOf(again.url, id)).body).toMatchObject({ status: 'error', code: 'shutting_down' });
});

it('N5 lets a request that never went out go out with its old Idempotency-Key', async () => {
  const { folder, bridge, extension } = await start();
  extension.tell({ paused: true });
  extension.close();
  const hasExtension = async (url: string) =>
    ((await (await fetch(`${url}/api/status`)).json()) as { extensions: [] }).extensions.length > 0;
  await expect.poll(() => hasExtension(bridge.url)).toBe(false);
  const body = { prompt: 'once more', wait: false };
  expect((await ask(bridge.url, body, { 'Idempotency-Key': 'k' })).status).toBe(202);
  await bridge.kill();
  const again = await startProcess(folder, bridge.port);
  const another = await startFakeExtension({ bridgeUrl: again.url });
  onTestFinished(() => another.close());
  const answer = await ask(again.url, { ...body, wait: true }, { 'Idempotency-Key': 'k' });
  expect([answer.status, await answer.json()]).toMatchObject([200, { result: 'You said: once more' }]);
  expect(another.calls).toHaveLength(1);
});

it('O12 leaves its folder to one bridge alone', async () => {
  const { folder } = await start();
  const second = spawn(process.execPath, [main, '--port', '0', '--state-dir', folder]);
  let output = '';
  second.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  expect((await once(second, 'exit'))[0]).toBe(3);
  expect(output).toContain('choose another with --state-dir');
});
