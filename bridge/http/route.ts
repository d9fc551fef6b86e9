import type { IncomingHttpHeaders } from 'node:http';

import type { BridgeError } from '#shared/errors.ts';

import type { HangUp } from '../hang-up.ts';
import type { Pass } from '../keys/key-check.ts';

/** What a handler needs of one HTTP exchange, so that dialects do not depend on the web framework. */
export interface Exchange extends Pass {
  readonly headers: IncomingHttpHeaders;
  /** The part of the path of that name; empty where the path has none. */
  param(name: string): string;
  query(): URLSearchParams;
  /** When the caller hangs up before it was answered, or its key is revoked. */
  readonly hangUp: HangUp;
  /** Reads and parses the JSON body. Throws a `BridgeError` that says what is wrong with it. */
  json(): Promise<unknown>;
  /** Headers of the answer, whatever becomes of it. */
  setHeaders(headers: Readonly<Record<string, string>>): void;
  /**
   * Turns the answer into a stream of server-sent events. From here on, only the stream can tell of a failure. `onDrain` is
   * called once the caller has taken what was sent, or hung up, after the stream was full.
   */
  startEvents(onDrain?: () => void): EventStream;
}

/** Server-sent events. What is written after the end, or after the caller hung up, goes nowhere. */
export interface EventStream {
  /** One `data:` event that holds the value as JSON. */
  send(value: object): void;
  /** Lines as they are, without the empty one that ends an event. */
  sendRaw(lines: string): void;
  /** The caller has more to take than a buffer holds: what is more waits till it drains. */
  isFull(): boolean;
  end(): void;
}

export interface JsonReply {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}

/** JSON, a text of another type, or another place to look. */
export type Reply =
  | JsonReply
  | { status: number; text: string; contentType: string }
  | { status: 303; location: string };

export interface Route {
  /** A star takes any. */
  method: 'GET' | 'POST' | 'DELETE' | '*';
  /** Parts that begin with a colon are named parameters, with a star also the slashes in them. */
  path: string;
  /** Nothing as reply: the handler answered by `startEvents`. */
  handle(exchange: Exchange): Promise<Reply | undefined> | Reply | undefined;
  /**
   * Without it, a caller needs a key once there is one. `open` tells nothing of anybody's, or asks for a key itself where
   * it would; `secret` checks a secret of its own.
   */
  access?: 'open' | 'secret';
  /**
   * An extension may call this one from its own origin: `any`, where it learns no more than from its socket, or `known`,
   * the one with our id and those that are paired.
   */
  fromExtension?: 'any' | 'known';
  /** Pages of the origins that the config names may call this one. Without it no page may, but the bridge's own. */
  fromAllowedOrigins?: true;
  /** A token in the query is meant for this one. Elsewhere it is refused, since addresses are kept and logged. */
  takesToken?: true;
  /** Headers of every answer at this path, refusals too, until the handler sets others. */
  headers?: () => Readonly<Record<string, string>>;
  /** How this route says what went wrong; without it, as `/api/*` does. */
  reportError?: (error: BridgeError) => Reply;
  /** Asking uses something up, so that HEAD, which may be sent any time, is not taken for GET. */
  once?: true;
}
