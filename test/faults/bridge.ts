import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));

/** `node bridge/main.ts`, which can be killed and started again on its port and in its state folder. */
export interface KillableBridge {
  readonly port: number;
  start(): Promise<void>;
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>;
  /** Its open sockets, all open files, and memory in bytes; null where the system does not tell. */
  measure(): Promise<{ sockets: number; files: number; rss: number } | null>;
  /** Bytes of its heap that are in use after a collection. Takes a probe. */
  measureHeap(): Promise<number>;
  /** What it wrote to stderr, of all its lives. */
  errors(): string;
}

export function createKillableBridge(options: {
  stateDir: string;
  /** The first time it is started; 0 takes any free one. */
  port?: number;
  /** A module that answers `measureHeap` from within. */
  heapProbe?: string;
}): KillableBridge {
  const { stateDir, heapProbe } = options;
  const nodeArgs = heapProbe === undefined ? [] : ['--expose-gc', '--import', heapProbe];
  let child: ChildProcess | undefined;
  let { port = 0 } = options;
  let errors = '';

  return {
    get port() {
      return port;
    },
    async start() {
      const command = [...nodeArgs, main, '--port', String(port), '--state-dir', stateDir, '--log-level', 'error'];
      const it = spawn(process.execPath, command, {
        stdio: ['ignore', 'pipe', 'pipe', ...(heapProbe === undefined ? [] : ['ipc' as const])],
      }) as ChildProcessByStdio<null, Readable, Readable>;
      child = it;
      let output = '';
      it.stderr.on('data', (text: Buffer) => void (errors += text.toString()));
      for await (const text of it.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        output += text.toString();
        const url = /listens on (\S+)\n/.exec(output)?.[1];
        if (url === undefined) continue;
        port = Number(new URL(url).port);
        it.stdout.resume();
        return;
      }
      throw new Error(`The bridge did not start: ${errors}`);
    },
    async kill() {
      const it = child;
      if (!it || it.exitCode !== null || it.signalCode !== null) return;
      const ended = once(it, 'exit');
      it.kill('SIGKILL');
      await ended;
    },
    async measure() {
      try {
        const proc = `/proc/${child?.pid}`;
        const status = await readFile(`${proc}/status`, 'utf8');
        const names = await readdir(`${proc}/fd`);
        const targets = await Promise.all(names.map((name) => readlink(`${proc}/fd/${name}`).catch(() => '')));
        const sockets = targets.filter((target) => target.startsWith('socket:')).length;
        return { sockets, files: names.length, rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024 };
      } catch {
        return null;
      }
    },
    async measureHeap() {
      if (!child) throw new Error('There is no bridge.');
      const told = once(child, 'message') as Promise<[number]>;
      child.send('heap');
      return (await told)[0];
    },
    errors: () => errors,
  };
}
