import type { IncomingHttpHeaders } from 'node:http';

/** What a handler needs of one HTTP exchange, so that dialects do not depend on the web framework. */
export interface Exchange {
  readonly headers: IncomingHttpHeaders;
  /** The named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Aborts when the caller hangs up before it was answered. */
  readonly hangUp: AbortSignal;
  /** Reads and parses the JSON body. Throws a `BridgeError` that says what is wrong with it. */
  json(): Promise<unknown>;
  /** Turns the answer into a stream of server-sent events; `send` writes one `data:` event. */
  startEvents(): { send(value: unknown): void };
}

/** JSON, a text of another type, or another place to look. */
export type Reply =
  | { status: number; body: object }
  | { status: number; text: string; contentType: string }
  | { status: 303; location: string };

export interface Route {
  method: 'GET' | 'POST';
  /** Parts that begin with a colon are named parameters. */
  path: string;
  /** Nothing as reply: the handler answered by `startEvents`. */
  handle(exchange: Exchange): Promise<Reply | undefined> | Reply | undefined;
  /** The pinned extension's own origin may call this one; no other page ever may. */
  fromExtension?: true;
  /** Asking uses something up, so that HEAD, which may be sent any time, is not taken for GET. */
  once?: true;
}
