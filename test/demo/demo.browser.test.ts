import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { until } from '../browser/rig.ts';
import { testedBrowser } from '../browser/tested-browser.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'puter-bridge-demo-'));
});
afterEach(() => rm(temporary, { recursive: true }));

function startDemo(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [main, '--browser', testedBrowser, ...args], {
    env: { ...process.env, TMPDIR: temporary },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return { child, output: () => output };
}

it('prints the curl line, the answer and the time, and leaves nothing behind', async () => {
  const { child, output } = startDemo('--once', '--port', '0', '--prompt', 'It’s me');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(output()).toMatch(/curl http:\/\/127\.0\.0\.1:\d+\/api\/process/);
  expect(output()).toContain('"result": "You said: It’s me"');
  expect(output()).toMatch(/Answered in \d+ ms/);
  expect(await readdir(temporary)).toEqual([]);
});

it('exits with 1 where the answer is an error', async () => {
  const { child, output } = startDemo('--once', '--port', '0', '--model', 'no-such-model');
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output()).toContain('model_not_found');
  expect(await readdir(temporary)).toEqual([]);
});

it('stays up until Ctrl-C, then frees the port and leaves nothing behind', async () => {
  const { child, output } = startDemo('--port', '0');
  await until(() => output().includes('Ctrl-C stops everything'), 30_000);
  const url = /curl (http:\/\/\S+)\/api\/process/.exec(output())?.[1] ?? '';
  expect((await fetch(`${url}/health`)).status).toBe(200);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  expect(await readdir(temporary)).toEqual([]);
});

it('stops cleanly in the middle of the set-up', async () => {
  const { child, output } = startDemo('--port', '0');
  await until(() => output().includes('with the extension'), 30_000);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  expect(await readdir(temporary)).toEqual([]);
});

it('says so where the port is taken', async () => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { child, output } = startDemo('--once', '--port', String(port));
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output()).toContain(`Port ${port} is taken`);
  other.close();
});
