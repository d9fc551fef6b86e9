import type { IncomingMessage } from 'node:http';

import type { Request, Response } from 'express';

import { BridgeError } from '#shared/errors.ts';

import { HangUp } from '../hang-up.ts';
import { withoutKeys } from '../keys/key-check.ts';
import type { Limits } from '../limits.ts';
import { onAbort } from '../on-abort.ts';
import { readJson } from './body.ts';
import { localsOf, setHeaders } from './locals.ts';
import type { Exchange } from './route.ts';
import { writeHead } from './write.ts';

/** One exchange as the handler of a route sees it. */
export function createExchange(request: Request, response: Response, limits: Limits): Exchange {
  const { pass = withoutKeys(request) } = localsOf(response);
  const hangUp = new HangUp();
  const stopFollowing = onAbort(pass.revoked, (reason) => hangUp.tell(reason as BridgeError));
  let wantsHeadAlone = false;
  // Not the request's `close`: that fires as soon as the body was read.
  response.on('close', () => {
    stopFollowing();
    if (wantsHeadAlone || !response.writableFinished) hangUp.tell(new BridgeError('cancelled', 'The caller hung up.'));
  });
  return {
    scope: pass.scope,
    problem: pass.problem,
    revoked: pass.revoked,
    headers: request.headers,
    // A wildcard comes in the pieces between its slashes.
    param: (name) => [request.params[name] ?? ''].flat().join('/'),
    // Not by URL: that throws for some paths, and its error would show the query to the log.
    query: () => new URLSearchParams(/\?.*/.exec(request.url)?.[0]),
    hangUp,
    json: () => readJson(request, limits, () => isAwaited(request) && response.writeContinue()),
    setHeaders: (headers) => setHeaders(response, headers),
    startEvents(onDrain) {
      writeHead(response, 200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
      // The head leaves with what is sent in the same turn, and without that all the same. Not by the response's own cork,
      // which lets an end in that turn overtake what came before it.
      const { socket } = response;
      socket?.cork();
      response.flushHeaders();
      process.nextTick(() => socket?.uncork());
      wantsHeadAlone = request.method === 'HEAD';
      if (wantsHeadAlone) response.end();
      const sendRaw = (lines: string) => void (response.writableEnded || response.write(`${lines}\n\n`));
      if (onDrain) {
        response.on('drain', onDrain);
        hangUp.on(onDrain);
      }
      return {
        send: (value) => sendRaw(`data: ${JSON.stringify(value)}`),
        sendRaw,
        // Who has hung up takes nothing any more, and nothing is worth waiting for.
        isFull: () => response.writableNeedDrain && !hangUp.reason,
        end: () => void response.end(),
      };
    },
  };
}

/** Whether the caller sends its body only once it is told to. Node knows the word in HTTP/1.1 alone. */
const isAwaited = ({ headers, httpVersionMinor }: IncomingMessage): boolean =>
  headers.expect !== undefined && httpVersionMinor > 0;
