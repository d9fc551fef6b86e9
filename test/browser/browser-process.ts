import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { onParentEnd } from './parent-end.ts';

const GRACEFUL_EXIT_MS = 5_000;
const STDERR_LINES = 40;

export interface BrowserProcessOptions {
  executable: string;
  profileDir: string;
  args: readonly string[];
}

/** One browser process, and all that it starts. */
export interface BrowserProcess {
  readonly pid: number;
  /** Nothing, nothing, stderr, and two pipes that a browser may be driven by. */
  readonly stdio: ChildProcess['stdio'];
  readonly exited: Promise<void>;
  /** The last lines of the browser's stderr, for error reports. */
  stderr(): string;
  /** Kills the browser and every process it started. */
  kill(): void;
  /** Gives the browser a few seconds to end by itself, then kills it. */
  close(): Promise<void>;
}

/** Starts the browser; whatever ends this Node process ends the browser, too. */
export async function startBrowserProcess(options: BrowserProcessOptions): Promise<BrowserProcess> {
  const { executable, profileDir, args } = options;
  const child = spawn(executable, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    // Chromium leaves a folder of its own among the temporary files when it is killed, and Firefox two at home:
    // there they go with the profile.
    env: { ...process.env, TMPDIR: profileDir, ...(process.platform === 'linux' && { HOME: profileDir }) },
    // A group of its own, so that one kill reaches the zygotes, renderers and GPU process as well.
    detached: process.platform !== 'win32',
  });
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
    lines.splice(0, lines.length - STDERR_LINES);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  await once(child, 'spawn'); // Rejects when the file cannot be run.
  const { pid, stdio } = child;
  if (pid === undefined) throw new Error(`${executable} started without a process id.`);
  const kill = () => killTree(pid);
  const forget = onParentEnd(kill);

  return {
    pid,
    stdio,
    exited,
    stderr: () => lines.join('\n'),
    kill,
    async close() {
      const timer = setTimeout(kill, GRACEFUL_EXIT_MS);
      await exited;
      clearTimeout(timer);
      kill(); // A helper process can outlive the browser by a moment.
      forget();
    },
  };
}

function killTree(pid: number): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/T', '/F']);
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody of the group is left.
  }
}
