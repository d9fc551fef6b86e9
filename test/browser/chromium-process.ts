import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { ConnectionTransport } from 'puppeteer-core';
import { onParentEnd } from './parent-end.ts';

const GRACEFUL_EXIT_MS = 5_000;
const STDERR_LINES = 40;

export interface ChromiumProcessOptions {
  executable: string;
  profileDir: string;
  headed: boolean;
  /** Beside those that every test has. */
  flags: readonly string[];
}

/** One browser process and its DevTools pipe. */
export interface ChromiumProcess {
  readonly pid: number;
  readonly transport: ConnectionTransport;
  readonly exited: Promise<void>;
  /** The last lines of the browser's stderr, for error reports. */
  stderr(): string;
  /** Kills the browser and every process it started. */
  kill(): void;
  /** Gives the browser a few seconds to end by itself, then kills it. */
  close(): Promise<void>;
}

/** Starts the browser; whatever ends this Node process ends the browser, too. */
export async function startChromiumProcess(options: ChromiumProcessOptions): Promise<ChromiumProcess> {
  const child = spawn(options.executable, chromiumFlags(options), {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    // Chromium leaves a folder of its own among the temporary files when it is killed: there it goes with the profile.
    env: { ...process.env, TMPDIR: options.profileDir },
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
  if (pid === undefined) throw new Error(`${options.executable} started without a process id.`);
  const kill = () => killTree(pid);
  const forget = onParentEnd(kill);

  return {
    pid,
    transport: pipeTransport(stdio),
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

// Not puppeteer's defaults: those switch off timer throttling, occlusion and the popup blocker, and a test
// should meet the browser people have. What is left: silence towards the network, and no first-run questions.
function chromiumFlags({ profileDir, headed, flags }: ChromiumProcessOptions): string[] {
  return [
    `--user-data-dir=${profileDir}`,
    '--remote-debugging-pipe',
    // Extensions.loadUnpacked asks for this one; --load-extension is ignored by branded Chrome from 137 on.
    '--enable-unsafe-extension-debugging',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-search-engine-choice-screen',
    '--hide-crash-restore-bubble',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    '--disable-breakpad',
    '--disable-features=MediaRouter,OptimizationHints,Translate',
    '--password-store=basic',
    '--use-mock-keychain',
    // Containers often have a /dev/shm of 64 MB, which crashes renderers.
    ...(process.platform === 'linux' ? ['--disable-dev-shm-usage'] : []),
    // Chromium refuses to start its sandbox as root, which is what containers run as.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...(headed ? [] : ['--headless=new', '--disable-gpu', '--mute-audio', '--window-size=1280,900']),
    ...flags,
    'about:blank',
  ];
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

/** DevTools messages are JSON texts divided by a NUL. Puppeteer has such a class but does not export it. */
function pipeTransport(stdio: ChildProcess['stdio']): ConnectionTransport {
  const [, , , toBrowser, fromBrowser] = stdio;
  if (!(toBrowser instanceof Writable && fromBrowser instanceof Readable)) throw new Error('The pipe is not open.');
  let pending = '';
  const transport: ConnectionTransport = {
    send: (message) => toBrowser.write(`${message}\0`),
    close: () => toBrowser.end(),
  };
  toBrowser.on('error', () => {}); // EPIPE: the browser is gone, and 'close' below says so.
  fromBrowser.setEncoding('utf8').on('data', (text: string) => {
    const messages = (pending + text).split('\0');
    pending = messages.pop() ?? '';
    // A turn each: puppeteer's promises must settle between two messages, as they do with a WebSocket.
    for (const message of messages) setImmediate(() => transport.onmessage?.(message));
  });
  fromBrowser.on('close', () => transport.onclose?.());
  return transport;
}
