import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';
import { greet } from './connection/connections-rig.ts';

const main = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));

let state: TemporaryFolder;
beforeAll(async () => {
  state = await createTemporaryFolder('state');
});
afterAll(() => state.remove());

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, PUTER_BRIDGE_STATE_DIR: state.dir, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return { child, output: () => output };
}

async function listening(output: () => string): Promise<string> {
  await expect.poll(output, { timeout: 10_000 }).toContain('Next:');
  return /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(output())?.[1] ?? '';
}

it('says where it listens and what is missing, and stops at once on Ctrl-C', async () => {
  const { child, output } = start(['--port', '0']);
  const url = await listening(output);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('takes the port from the environment where no flag names one', async () => {
  const { output } = start([], { PUTER_BRIDGE_PORT: '0' });
  expect(await listening(output)).toMatch(/:\d+$/);
  const { child } = start([], { PUTER_BRIDGE_PORT: 'nonsense' });
  expect(await once(child, 'exit')).toEqual([2, null]);
  const other = { PUTER_BRIDGE_PORT: '1', PUTER_BRIDGE_STATE_DIR: join(state.dir, 'other') };
  expect(await listening(start(['--port', '0'], other).output)).not.toMatch(/:1$/);
});

it('says which web pages may call it', async () => {
  const { output } = start(['--port', '0', '--allow-origin', 'https://app.example,http://localhost:3000']);
  await listening(output);
  expect(output()).toContain('Web pages of https://app.example, http://localhost:3000 may call it.');
  const wrong = start(['--port', '0', '--allow-origin', '*']);
  expect(await once(wrong.child, 'exit')).toEqual([2, null]);
  expect(wrong.output()).toContain('there is no wildcard');
});

it('runs on, and stops as it should, where nobody reads any more what it prints', async () => {
  const { child, output } = start(['--port', '0']);
  const url = await listening(output);
  child.stdout.destroy();
  await once(child.stdout, 'close');
  const extension = await greet(url, { lanes: 1 });
  await extension.next();
  const ask = () =>
    fetch(`${url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"prompt":"x"}',
    });
  const running = ask();
  const request = await extension.next();
  if (request.type !== 'request') throw new Error(`A ${request.type} came instead of a request.`);
  child.kill('SIGTERM');
  expect((await ask()).status).toBe(503);
  extension.send({
    type: 'end',
    requestId: request.requestId,
    seq: 0,
    finishReason: 'stop',
    model: null,
    usage: null,
    parts: [{ type: 'text', text: 'whole' }],
  });
  expect((await running).status).toBe(200);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it.each([
  ['an error that nobody catches', 'SIGWINCH', `throw new TypeError()`],
  ['a rejection that nobody handles', 'SIGUSR2', `void Promise.reject(new TypeError())`],
] as const)(
  'comes by %s to its end with 1 and a word in the log, for half dead would be worse',
  async (_, signal, code) => {
    const plant = `process.on('${signal}', () => { ${code} })`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(plant)}` };
    const { child, output } = start(['--port', '0'], env);
    await listening(output);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(output()).toMatch(/"level":"fatal".*"name":"TypeError"/);
  },
);

it('names the port that is taken, and does not move to another', async () => {
  const first = start(['--port', '0']);
  const port = new URL(await listening(first.output)).port;
  const { child, output } = start(['--port', port]);
  expect(await once(child, 'exit')).toEqual([3, null]);
  expect(output()).toContain(`Port ${port} is taken`);
});

it('says in a sentence which folder cannot be had, and ends with 2, which no supervisor repeats', async () => {
  const [link, file, long] = [join(state.dir, 'dangling'), join(state.dir, 'file'), join(state.dir, 'x'.repeat(300))];
  symlinkSync('nowhere', link);
  writeFileSync(file, '');
  const key = ['key', 'create', 'a', '--state-dir'];
  const bridge = ['--port', '0', '--state-dir'];
  const socket = ['--port', '0', '--socket'];
  for (const [args, words] of [
    [[...bridge, link], `The state folder cannot be used (ENOENT: no such file or directory, mkdir '${link}').`],
    [[...bridge, long], 'The state folder cannot be used (ENAMETOOLONG'],
    [[...key, link], 'The state folder cannot be used (ENOENT'],
    [[...key, file], 'The state folder cannot be used (EEXIST'],
    [[...key, join(file, 'x')], 'The state folder cannot be used (ENOTDIR'],
    [[...socket, join(link, 'x.sock')], `There can be no socket ${join(link, 'x.sock')} (ENOENT`],
    [[...socket, join(long, 'x.sock')], '(ENAMETOOLONG'],
    [[...socket, join(file, 'x.sock')], '(EEXIST'],
  ] as const) {
    const { child, output } = start([...args]);
    expect([args, await once(child, 'close')]).toEqual([args, [2, null]]);
    expect(output()).toContain(words);
    expect(output().trimEnd().split('\n')).toHaveLength(1);
  }
});

it('refuses an address with a zone before anything is opened: it has no URL', async () => {
  const { child, output } = start(['--port', '0', '--host', '::1%lo']);
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(output()).toContain('without a zone');
});

it('explains itself with --help, and refuses what it does not know', async () => {
  const help = start(['--help']);
  expect(await once(help.child, 'exit')).toEqual([0, null]);
  expect(help.output()).toContain('Usage: npm start -- [options] [command]');
  expect(help.output()).toContain('PUTER_BRIDGE_PORT');
  expect(help.output()).toContain('PUTER_BRIDGE_STATE_DIR');
  const wrong = start(['--prot', '5']);
  expect(await once(wrong.child, 'exit')).toEqual([2, null]);
  expect(wrong.output()).toContain('--port');
});
