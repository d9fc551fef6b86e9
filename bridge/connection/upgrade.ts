import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';

import { BridgeError } from '#shared/errors.ts';
import { isExtensionOrigin } from '#shared/extension-id.ts';
import { maxFrameBytes, subprotocol } from '#shared/protocol.ts';

import { isLoopback } from '../hosts.ts';
import { checkHost } from '../http/guards.ts';
import { errorReply } from '../http/reply.ts';
import type { Connections } from './connections.ts';

const path = '/ws';

/** Lets extensions on this machine, and nothing else, turn a request for `/ws` into a socket. */
export function handleUpgrades(
  server: Server,
  connections: Connections,
  options: { allowedHosts: readonly string[]; closing: () => BridgeError | null },
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    // Costs more CPU than loopback bytes are worth, and inflates what a hostile peer sends.
    perMessageDeflate: false,
    // Another version is let in far enough to be told which side to update (see closeCodes.wrongVersion).
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : ([...offered][0] ?? false)),
  });

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    let origin: string;
    try {
      origin = checkUpgrade(request, options.allowedHosts);
      const problem = options.closing();
      if (problem) throw problem;
    } catch (error) {
      return refuse(socket, error);
    }
    sockets.handleUpgrade(request, socket, head, (it) => connections.accept(it, origin));
  });
}

/** Returns the origin of the extension that asks. What it may do decides its pairing. */
function checkUpgrade(request: IncomingMessage, hosts: readonly string[]): string {
  checkHost(request, hosts);
  if (request.url !== path) throw new BridgeError('not_found', `The extension connects to ${path}.`);
  const { origin } = request.headers;
  if (origin === undefined || !isExtensionOrigin(origin)) {
    throw new BridgeError('origin_not_allowed', 'Only the Puter Bridge extension may connect here.');
  }
  // A program can send any Origin: whoever may open sockets on this machine could read what we would send, others not.
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    throw new BridgeError('not_the_extension', 'The extension connects from the machine that the bridge runs on.');
  }
  return origin;
}

function refuse(socket: Duplex, error: unknown): void {
  const { status, body } = errorReply(error);
  // A caller that keeps its side open would keep the socket, and with it the bridge, from closing.
  socket.once('finish', () => socket.destroy());
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}
