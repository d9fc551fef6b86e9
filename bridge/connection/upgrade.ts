import type { IncomingMessage, Server } from 'node:http';

import { WebSocketServer } from 'ws';

import { BridgeError } from '#shared/errors.ts';
import { isExtensionOrigin } from '#shared/extension-id.ts';
import { maxFrameBytes, subprotocol } from '#shared/protocol.ts';
import { chooseSubprotocol } from '#shared/subprotocol.ts';

import { isLoopback } from '../hosts.ts';
import { checkDoubled, checkHost, checkTarget } from '../http/guards.ts';
import { errorReply } from '../http/reply.ts';
import type { JsonReply } from '../http/route.ts';
import { refuseSocket } from '../http/write.ts';
import type { Limits } from '../limits.ts';
import { SetupError } from '../setup-error.ts';
import { shuttingDown } from '../drain.ts';
import type { Connections } from './connections.ts';

const path = '/ws';

/** What else asks for an upgrade, to HTTP/2 for example as curl and Java do, is a request like any other. */
export const isUpgrade = ({ url, headers }: IncomingMessage): boolean =>
  url === path || headers.upgrade?.toLowerCase() === 'websocket';

function createSocketServer({ maxFragments }: Limits): WebSocketServer {
  const bounds = ['maxFragments', 'maxBufferedChunks'];
  // Where it has no default of its own for one, it does not know it, and would hold whatever it is sent.
  if (bounds.some((bound) => !(bound in new WebSocketServer({ noServer: true }).options))) {
    throw new SetupError(
      'The package ws in node_modules is too old to bound what a socket may send. Run npm ci in the folder of the bridge.',
    );
  }
  return new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    maxFragments,
    // Costs more CPU than loopback bytes are worth, and inflates what a hostile peer sends.
    perMessageDeflate: false,
    handleProtocols: (offered) => chooseSubprotocol([...offered]) ?? false,
  });
}

/** Lets extensions on this machine, and nothing else, turn a request for `/ws` into a socket. */
export function handleUpgrades(
  server: Server,
  connections: Connections,
  options: { limits: Limits; allowedHosts: readonly string[]; closing: () => BridgeError | null },
): void {
  const { limits, allowedHosts, closing } = options;
  const sockets = createSocketServer(limits);

  server.on('upgrade', (request, socket, head) => {
    let origin: string;
    try {
      origin = checkUpgrade(request, allowedHosts);
      const problem = server.listening ? closing() : shuttingDown();
      if (problem) throw problem;
      if (connections.pending >= limits.maxPendingHandshakes)
        throw new BridgeError('too_many_pending', 'Too many sockets have not said hello yet. Try again in a moment.');
    } catch (error) {
      const route = request.url === path ? path : null;
      return refuseSocket(socket, explain(errorReply(error)), { request, route });
    }
    sockets.handleUpgrade(request, socket, head, (it) => connections.accept(it, socket, origin));
  });
}

/**
 * The same guards as for any request, in the same order, and then what a handshake has beside. Returns the origin of the
 * extension that asks: what it may do decides its pairing.
 */
function checkUpgrade(request: IncomingMessage, hosts: readonly string[]): string {
  checkTarget(request);
  checkHost(request, hosts);
  checkDoubled(request);
  const origin = checkExtension(request);
  // Nothing else takes an upgrade, and no other route sees one: it would have passed by the guards of that route.
  if (request.url !== path) throw new BridgeError('not_found', `The extension connects to ${path}.`);
  if (request.method !== 'GET') throw new BridgeError('method_not_allowed', 'A WebSocket is opened with GET.');
  checkHandshake(request);
  return origin;
}

function checkExtension({ headers: { origin }, socket }: IncomingMessage): string {
  const message = 'Only the Puter Bridge extension may connect here.';
  if (origin === undefined) throw new BridgeError('origin_required', message);
  if (!isExtensionOrigin(origin)) throw new BridgeError('origin_not_allowed', message);
  // A program can send any Origin: whoever may open sockets on this machine could read what we would send, others not.
  if (!isLoopback(socket.remoteAddress ?? ''))
    throw new BridgeError(
      'not_the_extension',
      'The extension connects from the machine that the bridge runs on, by 127.0.0.1 (--host 0.0.0.0 listens there, too).',
    );
  return origin;
}

/** What `ws` would refuse in a shape of its own, and what it would take and should not. */
function checkHandshake({ headers }: IncomingMessage): void {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const isGood =
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/\dA-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    chooseSubprotocol(offered) !== undefined;
  if (isGood) return;
  throw new BridgeError('bad_upgrade', `Open a WebSocket of version 13 with the subprotocol ${subprotocol}.`);
}

/** With the headers that HTTP wants beside the status. */
function explain(reply: JsonReply): JsonReply {
  if (reply.status === 405) return { ...reply, headers: { ...reply.headers, Allow: 'GET' } };
  return reply.status === 400 ? { ...reply, headers: { ...reply.headers, 'Sec-WebSocket-Version': '13' } } : reply;
}
