import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** A program that runs until it is ended. */
export interface Started {
  /** What it said when it was ready: the address of a server, else nothing. */
  url: string;
  /** From the beginning to being ready. */
  startMs: number;
  pid: number;
  memoryBytes(): number;
  /** How often its main thread was woken, so far. */
  wakeUps(): number;
  close(): Promise<void>;
}

/** Server and load on a core of their own each, where the system can do that. */
const cores = { serve: 0, load: 1 } as const;
type Core = keyof typeof cores;

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** What a server says on stderr is its log, which it writes as ever, and which nobody reads. */
function spawnOn(core: Core, command: readonly string[], signal: AbortSignal): ChildProcess {
  const pinned = [...(canPin ? ['taskset', '-c', `${cores[core]}`] : []), process.execPath, ...command];
  signal.throwIfAborted();
  const stdio: ('pipe' | 'ignore' | 'inherit')[] = ['pipe', 'pipe', core === 'serve' ? 'ignore' : 'inherit'];
  return spawn(pinned[0] ?? '', pinned.slice(1), { stdio, signal, killSignal: 'SIGKILL' });
}

/** Resolves with the first line that has an address in it or is `ready`. */
export async function start(core: Core, command: readonly string[], signal: AbortSignal): Promise<Started> {
  const startedAt = performance.now();
  const child = spawnOn(core, command, signal);
  const closed = once(child, 'close').catch(() => {});
  const url = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`${command.join(' ')} ended with ${code}.`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const address = /http:\/\/[\w.:]+/.exec(line)?.[0];
      if (address !== undefined || line === 'ready') resolve(address ?? '');
    });
  });
  const startMs = performance.now() - startedAt;
  const pid = child.pid ?? 0;
  return {
    url,
    startMs,
    pid,
    memoryBytes: () => readMemoryBytes(pid),
    wakeUps: () => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readProc(pid, 'status') ?? '')?.[1]),
    async close() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Runs a program to its end and returns the JSON that it printed. */
export async function run(core: Core, command: readonly string[], signal: AbortSignal): Promise<unknown> {
  const child = spawnOn(core, command, signal);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => void (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}.`);
  return JSON.parse(output);
}

/** Linux counts in hundredths of a second. */
const tickMs = 10;

/** What a process took of the processor, so far. NaN where the system does not tell. */
export function readCpuMs(pid: number): number {
  // The name of the program, in parentheses, may hold anything.
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return fields ? (Number(fields[11]) + Number(fields[12])) * tickMs : Number.NaN;
}

const readMemoryBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status') ?? '')?.[1]) * 1024;

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
