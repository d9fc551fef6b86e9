import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortHolder {
  name: string;
  pid: number;
}

/** The program that listens on a port of this machine; null where nobody tells. Looks into every process: only for a last word. */
export function findPortHolder(port: number): PortHolder | null {
  return process.platform === 'linux' ? searchProc(port) : askLsof(port);
}

function searchProc(port: number): PortHolder | null {
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    listeningSockets(tryTo(() => readFileSync(table, 'utf8')) ?? '', port),
  );
  if (sockets.length === 0) return null;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // Those of other users cannot be read, and some end meanwhile.
    const files = tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    const holds = files.some((file) => sockets.includes(tryTo(() => readlinkSync(`/proc/${pid}/fd/${file}`)) ?? ''));
    if (holds)
      return { pid: Number(pid), name: tryTo(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? 'a program' };
  }
  return null;
}

/** As links name them. See proc_net_tcp in the Linux documentation: local address, state (0A listens), inode. */
function listeningSockets(table: string, port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(end) && columns[3] === '0A')
    .map((columns) => `socket:[${columns[9]}]`);
}

function askLsof(port: number): PortHolder | null {
  const { stdout } = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    encoding: 'utf8',
    timeout: 2000,
  });
  const [, pid, name] = /^p(\d+)\nc(.*)$/m.exec(stdout ?? '') ?? [];
  return pid === undefined || name === undefined ? null : { pid: Number(pid), name };
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
