import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { localsOf } from './locals.ts';
import { refused, type Refusal } from './on-exchange.ts';
import type { JsonReply, Reply } from './route.ts';

/** On every answer, good or bad: no browser shares, sniffs, frames or stores it, and a page of ours runs only ours. */
const securityHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** How long a caller may go on writing what nobody reads. */
const lingerMs = 1000;

export function write(response: ServerResponse, reply: Reply): void {
  const { headers, text } = toWire(reply);
  writeHead(response, reply.status, headers).end(text);
}

/** Status and headers: those of every answer, those that were set for this one, and its own. */
export function writeHead(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): ServerResponse {
  return response.writeHead(status, { ...securityHeaders, ...localsOf(response).headers, ...headers });
}

/**
 * Answers although the body was not read to its end. Closing at once would reset the connection under a caller that
 * still writes, and take the answer away with it: so the rest is thrown away for a moment, then the connection ends.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (request.complete || !hasBody) return write(response, reply);
  response.setHeader('Connection', 'close');
  const { headers, text } = toWire(reply);
  writeHead(response, reply.status, headers).write(text);
  const end = () => response.end();
  const timer = setTimeout(end, lingerMs);
  request
    .on('close', () => clearTimeout(timer))
    .on('end', end)
    .on('error', end)
    .resume();
}

/** The same where there is a socket and no response: as the last thing that it carries. */
export function refuseSocket(socket: Duplex, reply: JsonReply, asked: Refusal['asked'] = null): void {
  socket.emit(refused, { reply, asked } satisfies Refusal);
  const { headers, text } = toWire(reply);
  const lines = Object.entries({ ...securityHeaders, ...headers, Connection: 'close' }).map((pair) => pair.join(': '));
  // A caller that keeps its side open would keep the socket, and with it the bridge, from closing.
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.on('error', () => socket.destroy()).once('close', () => clearTimeout(timer));
  socket.end([`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status]}`, ...lines, '', text].join('\r\n'));
  socket.resume();
}

function toWire(reply: Reply): { headers: Readonly<Record<string, string>>; text: string } {
  if ('location' in reply) return { headers: { Location: reply.location, 'Content-Length': '0' }, text: '' };
  const isText = 'text' in reply;
  const text = isText ? reply.text : JSON.stringify(reply.body);
  const headers = {
    'Content-Type': isText ? reply.contentType : 'application/json; charset=utf-8',
    'Content-Length': `${Buffer.byteLength(text)}`,
    ...(!isText && reply.headers),
  };
  return { headers, text };
}
