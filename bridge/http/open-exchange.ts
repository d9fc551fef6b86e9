import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

import type { Request, Response } from 'express';

import { BridgeError } from '#shared/errors.ts';

import { HangUp } from '../hang-up.ts';
import { withoutKeys, type Pass } from '../keys/key-check.ts';
import type { Limits } from '../limits.ts';
import { onAbort } from '../on-abort.ts';
import { readJson } from './body.ts';
import { localsOf, setHeaders } from './locals.ts';
import type { EventStream, Exchange } from './route.ts';
import { writeHead } from './write.ts';

/** One exchange as the handler of a route sees it: a class, since thousands may be open, and none needs methods of its own. */
export class OpenExchange implements Exchange {
  readonly hangUp = new HangUp();
  readonly #request: Request;
  readonly #response: Response;
  readonly #limits: Limits;
  readonly #pass: Pass;
  #wantsHeadAlone = false;

  constructor(request: Request, response: Response, limits: Limits) {
    this.#request = request;
    this.#response = response;
    this.#limits = limits;
    this.#pass = localsOf(response).pass ?? withoutKeys(request);
    const stopFollowing = onAbort(this.revoked, (reason) => this.hangUp.tell(reason as BridgeError));
    // Not the request's `close`: that fires as soon as the body was read.
    response.on('close', () => {
      stopFollowing();
      if (this.#wantsHeadAlone || !response.writableFinished)
        this.hangUp.tell(new BridgeError('cancelled', 'The caller hung up.'));
    });
  }

  get scope(): string {
    return this.#pass.scope;
  }

  get problem(): BridgeError | null {
    return this.#pass.problem;
  }

  get revoked(): AbortSignal | null {
    return this.#pass.revoked;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  // A wildcard comes in the pieces between its slashes.
  param(name: string): string {
    return [this.#request.params[name] ?? ''].flat().join('/');
  }

  // Not by URL: that throws for some paths, and its error would show the query to the log.
  query(): URLSearchParams {
    return new URLSearchParams(/\?.*/.exec(this.#request.url)?.[0]);
  }

  json(): Promise<unknown> {
    return readJson(this.#request, this.#limits, () => isAwaited(this.#request) && this.#response.writeContinue());
  }

  setHeaders(headers: Readonly<Record<string, string>>): void {
    setHeaders(this.#response, headers);
  }

  startEvents(onDrain?: () => void): EventStream {
    const { hangUp } = this;
    const response = this.#response;
    writeHead(response, 200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    // The head leaves with what is sent in the same turn, and without that all the same. Not by the response's own cork,
    // which lets an end in that turn overtake what came before it.
    const { socket } = response;
    socket?.cork();
    response.flushHeaders();
    process.nextTick(() => socket?.uncork());
    this.#wantsHeadAlone = this.#request.method === 'HEAD';
    if (this.#wantsHeadAlone) response.end();
    const sendRaw = (lines: string) => void (response.writableEnded || response.write(`${lines}\n\n`));
    if (onDrain) {
      response.on('drain', onDrain);
      hangUp.on(onDrain);
    }
    return {
      send: (value) => sendRaw(`data: ${toLine(value)}`),
      sendRaw,
      // Who has hung up takes nothing any more, and nothing is worth waiting for.
      isFull: () => response.writableNeedDrain && !hangUp.reason,
      end: () => void response.end(),
    };
  }
}

/**
 * JSON in one line for everybody: some clients end a line wherever Unicode does, and JSON lets three of those ends stand.
 * Looked for one by one, which takes half as long as by a regular expression.
 */
function toLine(value: object): string {
  const json = JSON.stringify(value);
  const isOneLine = !(json.includes('\u2028') || json.includes('\u2029') || json.includes('\u0085'));
  return isOneLine ? json : json.replace(/[\u0085\u2028\u2029]/g, toEscape);
}

const toEscape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Whether the caller sends its body only once it is told to. Node knows the word in HTTP/1.1 alone. */
const isAwaited = ({ headers, httpVersionMinor }: IncomingMessage): boolean =>
  headers.expect !== undefined && httpVersionMinor > 0;
