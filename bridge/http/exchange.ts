import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

import type { Request, Response } from 'express';

import { BridgeError } from '#shared/errors.ts';

import { abortWith } from '../abort-with.ts';
import { withoutKeys } from '../keys/key-check.ts';
import type { Limits } from '../limits.ts';
import { readJson } from './body.ts';
import { localsOf, setHeaders } from './locals.ts';
import type { Exchange } from './route.ts';
import { writeHead } from './write.ts';

/** One exchange as the handler of a route sees it. */
export function createExchange(request: Request, response: Response, limits: Limits): Exchange {
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
    param: (name) => [request.params[name] ?? ''].flat().join('/'),
    // Not by URL: that throws for some paths, and its error would show the query to the log.
    query: () => new URLSearchParams(/\?.*/.exec(request.url)?.[0]),
    hangUp: hangUp.signal,
    json: () => readJson(request, limits, () => isAwaited(request) && response.writeContinue()),
    setHeaders: (headers) => setHeaders(response, headers),
    startEvents() {
      writeHead(response, 200, { 'Content-Type': 'text/event-stream; charset=utf-8' }).flushHeaders();
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
