import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

import type { Refusal } from './refusals.ts';

/** What Puter sends with every answer. ETag is the one header of the captures that is not imitated: nothing reads it. */
const always = {
  'X-Content-Type-Options': 'nosniff',
  'Strict-Transport-Security': 'max-age=15552000; includeSubDomains',
  'X-Download-Options': 'noopen',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Allow-Methods':
    'GET, POST, OPTIONS, PUT, PATCH, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK',
  'Access-Control-Allow-Headers':
    'Origin, X-Requested-With, Content-Type, Accept, Authorization, Cache-Control, Pragma, sentry-trace, baggage, ' +
    'Depth, Destination, Overwrite, If, Lock-Token, Timeout, X-Expected-Entity-Length, DAV, stripe-signature',
  'Access-Control-Allow-Private-Network': 'true',
};

/** Puter reflects any Origin, with credentials: an extension needs no host permission for it. */
function headersFor(req: IncomingMessage, vary: string[]): OutgoingHttpHeaders {
  const { origin } = req.headers;
  const varies = origin === undefined ? vary : ['Origin', ...vary];
  return {
    ...always,
    'Access-Control-Allow-Origin': origin ?? '*',
    ...(origin !== undefined && { 'Access-Control-Allow-Credentials': 'true' }),
    ...(varies.length > 0 && { Vary: varies.join(', ') }),
  };
}

export function sendJson(req: IncomingMessage, res: ServerResponse, status: number, body: unknown): void {
  send(req, res, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

export function sendRefusal(req: IncomingMessage, res: ServerResponse, { status, body }: Refusal): void {
  sendJson(req, res, status, body);
}

export function sendPage(req: IncomingMessage, res: ServerResponse, html: string, status = 200): void {
  send(req, res, status, 'text/html; charset=utf-8', html);
}

/** The answer to a preflight. Its status was not captured. */
export function sendPreflight(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(204, headersFor(req, [])).end();
}

/** Streams are not compressed, so they do not vary by Accept-Encoding. */
export function startStream(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(200, { ...headersFor(req, []), 'Content-Type': 'application/x-ndjson' });
}

function send(req: IncomingMessage, res: ServerResponse, status: number, contentType: string, body: string): void {
  const length = Buffer.byteLength(body);
  const headers = headersFor(req, ['Accept-Encoding']);
  res.writeHead(status, { ...headers, 'Content-Type': contentType, 'Content-Length': length }).end(body);
}
