import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';

import { hasCode } from '../has-code.ts';
import { openPrivateFolder } from '../journal/private-folder.ts';
import { SetupError } from '../setup-error.ts';
import { listen } from './listen.ts';

/** Another program listens there. */
export class SocketTakenError extends Error {
  override readonly name = 'SocketTakenError';
}

/**
 * Hands `take` whoever connects to the Unix socket `file`, which only this person can: its folder is 0700 and is made where
 * it is missing, the socket is 0600. Throws `SetupError`, `InsecureFolderError` or `SocketTakenError`.
 */
export async function listenOnSocket(
  file: string,
  options: { take: (socket: Socket) => void; maxConnections: number; platform?: NodeJS.Platform },
): Promise<Server> {
  const { take, maxConnections, platform = process.platform } = options;
  if (platform === 'win32')
    throw new SetupError('Windows has no sockets that are files. Start the bridge without --socket.');
  // Half open, as Node's own HTTP server takes them: a caller may end its side and still wait for the answer.
  const server = createServer({ allowHalfOpen: true }, take);
  server.maxConnections = maxConnections;
  try {
    openPrivateFolder(path.dirname(file), '--socket');
    await removeStale(file);
    await listen(server, { path: file });
    chmodSync(file, 0o600);
  } catch (cause) {
    server.close();
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new SetupError(
      `There can be no socket ${file} (${cause.message}). Name another with --socket, in a short path.`,
      { cause },
    );
  }
  return server;
}

/** A bridge that was killed leaves its socket behind, and nobody can listen where there is one. */
async function removeStale(file: string): Promise<void> {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket())
    throw new SetupError(`${file} is there already, and no socket. Move it away, or name another with --socket.`);
  const probe = connect(file);
  try {
    await once(probe, 'connect');
  } catch (error) {
    // Anything else is said of one whose owner is only slow to take callers in.
    if (hasCode(error, 'ECONNREFUSED')) return unlinkSync(file);
  } finally {
    probe.destroy();
  }
  throw new SocketTakenError(`Another program listens on ${file}. Stop it, or name another with --socket.`);
}
