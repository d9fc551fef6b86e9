import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished } from 'vitest';

import { createTemporaryFolder } from '../temporary-folder.ts';

export const main = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));

export interface Run {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Exit code and signal, once it ended and all of its output is here. */
  ended: Promise<unknown[]>;
}

export interface BridgeProcess extends Run {
  url: string;
  port: number;
  stateDir: string;
}

type Environment = Readonly<Record<string, string>>;

/**
 * Starts `bridge/main.ts`, or another copy of it, with these arguments, after what the shell is to do `before`; killed at
 * the end of the test.
 */
export function run(args: readonly string[], env: Environment = {}, entry = main, before = ':'): Run {
  const command = ['-c', `${before}; exec "$0" "$@"`, process.execPath, entry, ...args];
  const child = spawn('/bin/sh', command, { env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => void (output[name] += text));
  return { child, stdout: () => output.stdout, stderr: () => output.stderr, ended };
}

/** A folder for one test, that nobody else has. */
export async function temporaryStateDir(): Promise<string> {
  const { dir, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  return dir;
}

/** A bridge that listens, on any free port unless `args` name one. */
export async function startProcess(
  options: { args?: readonly string[]; env?: Environment; stateDir?: string; entry?: string; before?: string } = {},
): Promise<BridgeProcess> {
  const { args = [], env, entry, before } = options;
  const stateDir = options.stateDir ?? (await temporaryStateDir());
  const started = run(['--port', '0', '--state-dir', stateDir, ...args], env, entry, before);
  await expect.poll(() => started.stdout() + started.stderr(), { timeout: 10_000 }).toMatch(/listens on .*\n/);
  const url = /listens on (\S+)/.exec(started.stdout())?.[1] ?? '';
  return { ...started, url, port: Number(new URL(url).port), stateDir };
}

/** What `key …` prints. */
export function keyCommand(
  stateDir: string,
  ...args: string[]
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'key', ...args, '--state-dir', stateDir], {
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}
