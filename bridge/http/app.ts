import { once } from 'node:events';

import express, { type Express, type NextFunction, type Request, type Response } from 'express';

import { BridgeError } from '#shared/errors.ts';
import { extensionOrigin } from '#shared/extension-id.ts';

import { withoutKeys, type KeyCheck } from '../keys/key-check.ts';
import { readJson } from './body.ts';
import { preflightHeaders, sharingHeaders } from './cors.ts';
import { checkCaller } from './guards.ts';
import { localsOf } from './locals.ts';
import { errorReply, keyHeaders, toBridgeError } from './reply.ts';
import type { Exchange, Reply, Route } from './route.ts';

const lingerMs = 1000;

/** What express calls them. */
const methods = { GET: 'get', POST: 'post', DELETE: 'delete' } as const;

interface AppOptions {
  onUnexpected: (error: unknown) => void;
  allowedOrigins?: readonly string[];
  /** Names that the bridge goes by beside those of this machine. */
  allowedHosts?: readonly string[];
  checkKey?: KeyCheck;
  /** Why nothing new may begin just now; null while it may. */
  closing?: () => BridgeError | null;
}

/** Turns the route table into an express application: guards first, every failure in one shape. */
export function createApp(routes: readonly Route[], options: AppOptions): Express {
  const {
    onUnexpected,
    allowedOrigins = [],
    allowedHosts = [],
    checkKey = withoutKeys,
    closing = () => null,
  } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(setHeaders, takeAnyPath);

  // What takes every method of many paths comes after what stands at one of them.
  const ordered = routes.toSorted((a, b) => Number(a.method === '*') - Number(b.method === '*'));
  for (const path of new Set(ordered.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path);
    const allow = here.map((route) => route.method).join(', ');
    const origins = [
      ...(here.every((route) => route.fromExtension) ? [extensionOrigin] : []),
      ...(here.every((route) => route.fromAllowedOrigins) ? allowedOrigins : []),
    ];
    const point = app.route(path);
    const report = here.find((route) => route.reportError)?.reportError ?? errorReply;
    const headers = here.find((route) => route.headers)?.headers ?? (() => ({}));
    const [access, ...others] = new Set(here.map((route) => route.access));
    point.all((request, response, next) => {
      Object.assign(localsOf(response), { report, route: path });
      response.set(headers());
      const origin = checkCaller(request, origins, allowedHosts);
      if (origin !== null) response.set(sharingHeaders(origin));
      if (origin !== null && request.method === 'OPTIONS')
        return void response.set(preflightHeaders(request.headers, allow)).status(204).end();
      letIn(request, response, others.length === 0 ? access : undefined);
      next();
    });
    for (const route of here) {
      const handle = async (request: Request, response: Response, next: NextFunction) => {
        if (route.once && request.method !== route.method) return next();
        write(response, await route.handle(createExchange(request, response)));
      };
      if (route.method === '*') point.all(handle);
      else point[methods[route.method]](handle);
    }
    point.all((request, response) => {
      response.set('Allow', allow);
      throw new BridgeError('method_not_allowed', `This path takes ${allow}, not ${request.method}.`);
    });
  }

  app.use((request, response) => {
    checkCaller(request, [], allowedHosts);
    letIn(request, response);
    throw new BridgeError('not_found', 'There is nothing at this path. GET / shows how to call the bridge.');
  });

  /** Nothing of the body has been read yet, and nothing of it will be where this throws. */
  function letIn(request: Request, response: Response, access?: Route['access']): void {
    const pass = checkKey(request);
    localsOf(response).pass = pass;
    if (pass.problem && access === undefined) throw pass.problem;
    const problem = request.method === 'POST' && access === undefined ? closing() : null;
    if (!problem) return;
    response.set('Connection', 'close');
    throw problem;
  }

  // express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const known = toBridgeError(error);
    const locals = localsOf(response);
    locals.error = known;
    if (known.code === 'internal_error') onUnexpected(error);
    if (response.headersSent) return void response.destroy();
    response.set(keyHeaders(known));
    refuse(request, response, (locals.report ?? errorReply)(known));
  });
  return app;
}

function setHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  next();
}

/** A path that nobody could decode is taken letter by letter, so that it meets the guards of where it leads. */
function takeAnyPath(request: Request, _response: Response, next: NextFunction): void {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(request.url) ?? [];
  try {
    decodeURIComponent(path);
  } catch {
    request.url = path.replaceAll('%', '%25') + query;
  }
  next();
}

function createExchange(request: Request, response: Response): Exchange {
  const { pass = withoutKeys(request) } = localsOf(response);
  const hangUp = new AbortController();
  const onRevoked = () => hangUp.abort(pass.revoked.reason);
  pass.revoked.addEventListener('abort', onRevoked);
  // Not the request's `close`: that fires as soon as the body was read.
  let isStream = false;
  response.on('close', () => {
    pass.revoked.removeEventListener('abort', onRevoked);
    if (isStream || !response.writableFinished) hangUp.abort(new BridgeError('cancelled', 'The caller hung up.'));
  });
  return {
    headers: request.headers,
    ...pass,
    // A wildcard comes in the pieces between its slashes.
    params: Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, [value].flat().join('/')])),
    // Not by URL: that throws for some paths, and its error would show the query to the log.
    query: new URLSearchParams(/\?.*/.exec(request.url)?.[0]),
    hangUp: hangUp.signal,
    json() {
      if (request.headers.expect !== undefined) response.writeContinue();
      return readJson(request);
    },
    setHeaders: (headers) => void response.set(headers),
    startEvents() {
      response.status(200).set('Content-Type', 'text/event-stream; charset=utf-8');
      response.flushHeaders();
      isStream = true;
      if (request.method === 'HEAD') response.end();
      const sendRaw = (lines: string) => void (response.writableEnded || response.write(`${lines}\n\n`));
      let drained: Promise<void> | undefined;
      return {
        send: (value) => sendRaw(`data: ${JSON.stringify(value)}`),
        sendRaw,
        ready() {
          if (!response.writableNeedDrain) return Promise.resolve();
          // One listener, however many wait. It rejects when the caller hung up, and then nothing is worth waiting for.
          const forget = () => void (drained = undefined);
          drained ??= once(response, 'drain', { signal: hangUp.signal }).then(forget, forget);
          return drained;
        },
        end: () => void response.end(),
      };
    },
  };
}

function write(response: Response, reply: Reply | undefined): void {
  if (reply) response.end(writeHead(response, reply));
}

/**
 * Answers although the body was not read to its end. Closing at once would reset the connection under a caller that
 * still writes, and take the answer away with it: so the rest is thrown away for a moment, then the connection ends.
 */
function refuse(request: Request, response: Response, reply: Reply): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (request.complete || !hasBody) return write(response, reply);
  response.set('Connection', 'close');
  response.write(writeHead(response, reply));
  const end = () => response.end();
  const timer = setTimeout(end, lingerMs);
  request
    .on('close', () => clearTimeout(timer))
    .on('end', end)
    .on('error', end)
    .resume();
}

/** Sets status and headers, and returns the text that is the body. */
function writeHead(response: Response, reply: Reply): string {
  response.status(reply.status);
  if ('location' in reply) {
    response.set({ Location: reply.location, 'Content-Length': '0' });
    return '';
  }
  const isText = 'text' in reply;
  const text = isText ? reply.text : JSON.stringify(reply.body);
  response.set({
    'Content-Type': isText ? reply.contentType : 'application/json; charset=utf-8',
    'Content-Length': `${Buffer.byteLength(text)}`,
  });
  if (!isText && reply.headers) response.set(reply.headers);
  return text;
}
