import type { IncomingMessage, RequestListener } from 'node:http';

import express, { type NextFunction, type Request, type Response } from 'express';

import { BridgeError } from '#shared/errors.ts';
import { extensionOrigin, isExtensionOrigin } from '#shared/extension-id.ts';

import { withoutKeys, type KeyCheck } from '../keys/key-check.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { preflightHeaders, sharingHeaders } from './cors.ts';
import { OpenExchange } from './open-exchange.ts';
import { checkRequest, checkTarget, type Place } from './guards.ts';
import { localsOf, setHeaders } from './locals.ts';
import { BridgeRequest, BridgeResponse } from './messages.ts';
import { errorReply, keyHeaders, toBridgeError } from './reply.ts';
import type { Route } from './route.ts';
import { refuse, write, writeHead } from './write.ts';

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
  const app = Object.assign(express(), { request: BridgeRequest.prototype, response: BridgeResponse.prototype });
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
    const report = here.find((route) => route.reportError)?.reportError ?? errorReply;
    const headers = here.find((route) => route.headers)?.headers;
    const [access, ...others] = new Set(here.map((route) => route.access));
    // One handler, where express would have one for each method and pass every request from one to the next.
    app.route(path).all(async (request, response) => {
      const locals = localsOf(response);
      locals.report = report;
      locals.route = path;
      if (headers) setHeaders(response, headers());
      const origin = checkRequest(request, place);
      if (origin !== null) setHeaders(response, sharingHeaders(origin));
      if (origin !== null && request.method === 'OPTIONS')
        return void writeHead(response, 204, preflightHeaders(request.headers, allow)).end();
      letIn(request, response, others.length === 0 ? access : undefined);
      const route = here.find((it) => answers(it, request.method));
      if (!route) {
        setHeaders(response, { Allow: allow });
        throw new BridgeError('method_not_allowed', `This path takes ${allow}, not ${request.method}.`);
      }
      const reply = await route.handle(new OpenExchange(request, response, limits));
      if (reply) write(response, reply);
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
    response.setHeader('Connection', 'close');
    throw problem;
  }

  // express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const known = toBridgeError(error);
    const locals = localsOf(response);
    locals.error = known;
    if (known.code === 'internal_error') onUnexpected(error);
    if (response.headersSent) return void response.destroy();
    setHeaders(response, keyHeaders(known));
    refuse(request, response, (locals.report ?? errorReply)(known));
  });

  return (request, response) => {
    try {
      checkTarget(request);
    } catch (error) {
      // Routes are found by the target. What it was refused for is kept for the log all the same.
      localsOf(response).error = toBridgeError(error);
      return refuse(request, response, errorReply(error));
    }
    takeAnyPath(request);
    app(request, response);
  };
}

/** HEAD may be sent any time, so that it is no GET where asking uses something up. */
const answers = ({ method, once }: Route, asked: string): boolean =>
  method === '*' || method === asked || (method === 'GET' && asked === 'HEAD' && !once);

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
