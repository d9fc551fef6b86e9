import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';

import express, { type NextFunction, type Request, type Response } from 'express';

import { BridgeError } from '#shared/errors.ts';
import { extensionOrigin, isExtensionOrigin } from '#shared/extension-id.ts';

import { abortWith } from '../abort-with.ts';
import { withoutKeys, type KeyCheck } from '../keys/key-check.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { readJson } from './body.ts';
import { preflightHeaders, sharingHeaders } from './cors.ts';
import { checkRequest, checkTarget, type Place } from './guards.ts';
import { localsOf } from './locals.ts';
import { errorReply, keyHeaders, toBridgeError } from './reply.ts';
import type { Exchange, Route } from './route.ts';
import { refuse, securityHeaders, write } from './write.ts';

/** What express calls them. */
const methods = { GET: 'get', POST: 'post', DELETE: 'delete' } as const;

interface AppOptions {
  onUnexpected: (error: unknown) => void;
  limits?: Limits;
  allowedOrigins?: readonly string[];
  /** Whether the extension of this origin is paired. */
  isPaired?: (origin: string) => boolean;
  /** Names that the bridge goes by beside those of this machine. */
  allowedHosts?: readonly string[];
  checkKey?: KeyCheck;
  /** Why nothing new may begin just now; null while it may. */
  closing?: () => BridgeError | null;
}

/** Turns the route table into an express application: guards first, every failure in one shape. */
export function createApp(routes: readonly Route[], options: AppOptions): RequestListener {
  const {
    onUnexpected,
    limits = defaultLimits,
    allowedOrigins = [],
    isPaired = () => false,
    allowedHosts = [],
    checkKey = withoutKeys,
    closing = () => null,
  } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const nowhere: Place = { hosts: allowedHosts, takes: () => false, takesToken: false };

  // What takes every method of many paths comes after what stands at one of them.
  const ordered = routes.toSorted((a, b) => Number(a.method === '*') - Number(b.method === '*'));
  for (const path of new Set(ordered.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path);
    const allow = here.map((route) => route.method).join(', ');
    const place: Place = {
      hosts: allowedHosts,
      takes: (origin) => here.every((route) => takes(route, origin)),
      takesToken: here.every((route) => route.takesToken),
    };
    const point = app.route(path);
    const report = here.find((route) => route.reportError)?.reportError ?? errorReply;
    const headers = here.find((route) => route.headers)?.headers ?? (() => ({}));
    const [access, ...others] = new Set(here.map((route) => route.access));
    point.all((request, response, next) => {
      Object.assign(localsOf(response), { report, route: path });
      response.set(headers());
      const origin = checkRequest(request, place);
      if (origin !== null) response.set(sharingHeaders(origin));
      if (origin !== null && request.method === 'OPTIONS')
        return void response.set(preflightHeaders(request.headers, allow)).status(204).end();
      letIn(request, response, others.length === 0 ? access : undefined);
      next();
    });
    for (const route of here) {
      const handle = async (request: Request, response: Response, next: NextFunction) => {
        if (route.once && request.method !== route.method) return next();
        const reply = await route.handle(createExchange(request, response, limits));
        if (reply) write(response, reply);
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
    checkRequest(request, nowhere);
    letIn(request, response);
    throw new BridgeError('not_found', 'There is nothing at this path. GET / shows how to call the bridge.');
  });

  function takes({ fromExtension, fromAllowedOrigins }: Route, origin: string): boolean {
    if (fromAllowedOrigins && allowedOrigins.includes(origin)) return true;
    if (fromExtension === 'any') return isExtensionOrigin(origin);
    return fromExtension === 'known' && (origin === extensionOrigin || isPaired(origin));
  }

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

  return (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    try {
      checkTarget(request);
    } catch (error) {
      // Routes are found by the target. What express would keep is kept for the log all the same.
      Object.assign(response, { locals: { error } });
      return refuse(request, response, errorReply(error));
    }
    takeAnyPath(request);
    app(request, response);
  };
}

/** A path that nobody could decode is taken letter by letter, so that it meets the guards of where it leads. */
function takeAnyPath(request: IncomingMessage): void {
  if (!request.url?.includes('%')) return;
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(request.url) ?? [];
  try {
    decodeURIComponent(path);
  } catch {
    request.url = path.replaceAll('%', '%25') + query;
  }
}

function createExchange(request: Request, response: Response, limits: Limits): Exchange {
  const { pass = withoutKeys(request) } = localsOf(response);
  const hangUp = new AbortController();
  const stopFollowing = abortWith(pass.revoked, hangUp);
  // Not the request's `close`: that fires as soon as the body was read.
  let isStream = false;
  response.on('close', () => {
    stopFollowing();
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
    json: () => readJson(request, limits, () => isAwaited(request) && response.writeContinue()),
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

/** Whether the caller sends its body only once it is told to. Node knows the word in HTTP/1.1 alone. */
const isAwaited = ({ headers, httpVersionMinor }: IncomingMessage): boolean =>
  headers.expect !== undefined && httpVersionMinor > 0;
