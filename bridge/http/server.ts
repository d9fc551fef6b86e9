import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { BridgeError } from '#shared/errors.ts';

import type { Limits } from '../limits.ts';
import { BridgeRequest, BridgeResponse } from './messages.ts';
import { errorReply } from './reply.ts';
import type { JsonReply } from './route.ts';
import { refuse, refuseSocket } from './write.ts';

/** Node's server with our limits, and our words for what it refuses by itself: the first of all guards. */
export interface HttpServer {
  server: Server;
  /** Hands `listener` every request that is one. */
  serve(listener: RequestListener): void;
  /** Serves a socket, too, that did not come by the port and has no address. */
  take(socket: Socket): void;
}

/** `isUpgrade` says which requests become an `upgrade` event. */
export function createHttpServer(limits: Limits, isUpgrade: (request: IncomingMessage) => boolean): HttpServer {
  const server = createServer({
    IncomingMessage: BridgeRequest,
    ServerResponse: BridgeResponse,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    // Node wakes for it even where nothing is open, so it looks rarely. All that waits for it is the head of a later
    // request of a socket, which may be that much too late; the others have a timer (`expect`).
    connectionsCheckingInterval: limits.requestTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Our own guard says what is wrong with the Host.
    requireHostHeader: false,
    shouldUpgradeCallback: isUpgrade,
  });
  server.maxConnections = limits.maxConnections;
  // Node leaves out in silence what is beyond, and that may be the one header that decides. So one more than we take.
  server.maxHeadersCount = limits.maxHeaders + 1;

  /** The last request of each socket, which is the one that what comes next belongs to. */
  const latest = new WeakMap<Duplex, Latest>();
  /** Each piece of what is broken is an error of its own. */
  const refused = new WeakSet<Duplex>();
  const taken = new WeakSet<Duplex>();
  /** Of each socket, for its first head and then for whole requests. */
  const timers = new WeakMap<Duplex, NodeJS.Timeout>();

  function expect(socket: Duplex, ms: number): void {
    clearTimeout(timers.get(socket));
    function lookAgain(): void {
      const last = latest.get(socket);
      // What waits for its turn has time: it must not take away what is answered before it.
      if (last && isQueued(last)) return void timers.get(socket)?.refresh();
      if (!last || last.request?.complete === false) giveUp(socket, 408);
    }
    timers.set(socket, setTimeout(lookAgain, ms).unref());
  }

  const takeFor = (listener: RequestListener) => (request: IncomingMessage, response: ServerResponse) => {
    const last = latest.get(request.socket);
    // Node reads on behind an answer that ends the socket, and nobody could be told what became of what stands there.
    if (last && (last.hasEndedSocket || (last.response && endsSocket(last.response)))) return;
    // It is cheaper to start it anew for each than to stop it.
    if (last) timers.get(request.socket)?.refresh();
    else expect(request.socket, limits.requestTimeoutMs);
    // Whoever waits for its answers may go on as long as it likes.
    const count = last?.response && !last.response.writableFinished ? last.count + 1 : 1;
    // Node's own limit answers what comes in one piece with the last one by a bare 503, and closes late.
    if (count === limits.maxRequestsPerSocket) response.setHeader('Connection', 'close');
    const exchange: Latest = { request, response, count, hasEndedSocket: false };
    latest.set(request.socket, exchange);
    response.on('close', () => leave(exchange));
    if (request.rawHeaders.length > 2 * limits.maxHeaders) return refuseForGood(request, response, 431);
    request.socket.setTimeout(limits.readerGraceMs);
    listener(request, response);
  };

  // Who takes nothing of what waits has gone, for all that anybody can tell, and the call goes with the socket. Where
  // nothing is open, the time is Node's own, for sockets that nobody uses.
  server.on('timeout', (socket) => {
    const { response } = latest.get(socket) ?? {};
    if (socket.writableLength > 0 || !response || response.writableFinished) socket.destroy();
  });

  // A caller that is gone already has no address any more, and whose request it was could not be told. Once asked for, the
  // address of the others stays known for as long as what they sent is read.
  server.on('connection', (socket) => {
    if (!taken.has(socket) && socket.remoteAddress === undefined) return void socket.destroy();
    expect(socket, limits.headersTimeoutMs);
    socket.once('close', () => clearTimeout(timers.get(socket)));
  });
  server.on('upgrade', ({ socket }) => clearTimeout(timers.get(socket)));
  server.on(
    'checkExpectation',
    takeFor((request, response) => refuseForGood(request, response, 417)),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Whoever closes its half has hung up, also where it is in the middle of its next request.
    const hasHungUp = !socket.writable || error.code === 'HPE_INVALID_EOF_STATE';
    const last = latest.get(socket);
    if (hasHungUp || !last || !mayStillAnswer(last)) giveUp(socket, statusOf(error));
    else endSocketAfter(last, statusOf(error));
  });

  function giveUp(socket: Duplex, status: Status): void {
    if (refused.has(socket)) return;
    refused.add(socket);
    const { request, response } = latest.get(socket) ?? {};
    const isOpen = response && !response.writableFinished;
    // What is broken may be the body of a request, or what follows one that is still being answered.
    if (!socket.writable || (isOpen && (response.headersSent || request?.complete))) return void socket.destroy();
    refuseSocket(socket, badHttp(status));
  }

  return {
    server,
    serve(listener) {
      const take = takeFor(listener);
      server.on('request', take);
      // Whoever waits for a “100 Continue” gets it once somebody reads the body (app.ts): a refusal costs nothing.
      server.on('checkContinue', take);
    },
    take(socket) {
      taken.add(socket);
      server.emit('connection', socket);
    },
  };
}

interface Latest {
  /** Null once both are over: their socket may live for long, and must not keep all that hangs on them. */
  request: IncomingMessage | null;
  response: ServerResponse | null;
  /** Of the requests in a row that came before the one before them was answered. */
  count: number;
  hasEndedSocket: boolean;
}

/** Its answer waits for those to what came before it. */
const isQueued = ({ response }: Latest): boolean => response?.writableFinished === false && !response.socket;

/** The request is whole and its answer is not, or the answers to others come before it. */
const mayStillAnswer = (exchange: Latest): boolean =>
  isQueued(exchange) || (exchange.request?.complete === true && exchange.response?.writableFinished === false);

/**
 * What is broken must not take away the answers to what came before it, which may have been paid for. A body that is
 * longer than announced looks the same, and its caller is to hear what is wrong with it. What else comes leads to
 * nothing; it is read all the same, since only so is it seen that the caller hangs up.
 */
function endSocketAfter(exchange: Latest, status: Status): void {
  const { request, response } = exchange;
  if (!request || !response || exchange.hasEndedSocket) return;
  exchange.hasEndedSocket = true;
  if (response.headersSent) response.on('finish', () => request.socket.destroySoon());
  else if (request.complete) response.setHeader('Connection', 'close');
  // Its own body is what is broken.
  else refuseForGood(request, response, status);
}

/** The answer is over. */
function leave(exchange: Latest): void {
  const { request, response } = exchange;
  if (!request || !response) return;
  // What is left of its body may still come.
  if (!request.complete) return void request.once('close', () => leave(exchange));
  const hasEndedSocket = exchange.hasEndedSocket || endsSocket(response);
  Object.assign(exchange, { request: null, response: null, hasEndedSocket });
}

const endsSocket = (response: ServerResponse): boolean => response.getHeader('Connection') === 'close';

function refuseForGood(request: IncomingMessage, response: ServerResponse, status: Status): void {
  response.setHeader('Connection', 'close');
  refuse(request, response, badHttp(status));
}

const sentences = {
  400: 'The bridge cannot read this as HTTP/1.1.',
  408: 'The request took too long to arrive.',
  417: 'The bridge meets no other expectation than “100-continue”.',
  431: 'The request has too many headers, or too long ones.',
};
type Status = keyof typeof sentences;

const badHttp = (status: Status): JsonReply => ({
  ...errorReply(new BridgeError('bad_http', sentences[status])),
  status,
});

function statusOf({ code }: NodeJS.ErrnoException): Status {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
}
