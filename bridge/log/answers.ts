import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { scopeOf } from '../http/caller.ts';
import { localsOf } from '../http/locals.ts';
import { onExchange, onRefusal, type Refusal } from '../http/on-exchange.ts';
import type { JsonReply } from '../http/route.ts';
import type { Log } from './log.ts';
import { createThrottle } from './throttle.ts';

/** Of refusals, so many a second get a line of their own. */
const refusalsPerSecond = 10;

/** One line for every request that came to its end, and for every socket that was refused. Returns how to stop. */
export function logAnswers(server: Server, log: Log, options: { now: () => number }): () => void {
  const { now } = options;
  const throttle = createThrottle({
    perSecond: refusalsPerSecond,
    onSuppressed: (count) => log.info({ suppressed: count }, `suppressed ${count} refusals`),
  });
  /** Of what no line has told yet. */
  const refusals = new WeakMap<Socket, Refusal>();

  const isWanted = (level: ReturnType<typeof levelOf>, isRefusal: boolean): boolean =>
    log.isLevelEnabled(level) && (!isRefusal || throttle.take());

  function follow({ method, socket }: IncomingMessage, response: ServerResponse): void {
    const startedAt = now();
    const bytesBefore = socket.bytesWritten;
    response.on('close', () => {
      const { headersSent, writableFinished } = response;
      // What waits for the answer before it has a head, and no socket yet.
      const isBegun = headersSent && (writableFinished || response.socket !== null);
      const reply = isBegun ? undefined : refusals.get(socket)?.reply;
      if (reply) refusals.delete(socket);
      const status = isBegun ? response.statusCode : (reply?.status ?? null);
      const level = levelOf(status);
      const { route = null, pass, error, headers } = localsOf(response);
      // What stood behind the end of a socket was not even looked at.
      if (!isWanted(level, status === null ? route === null : status >= 400 && status < 500)) return;
      const facts = {
        method,
        route,
        status,
        code: reply ? codeOf(reply) : error?.code,
        cut: writableFinished || reply ? undefined : true,
        ms: Math.round(now() - startedAt),
        bytes: socket.bytesWritten - bytesBefore,
        request_id: headers?.['x-request-id'] ?? null,
        scope: pass?.scope ?? null,
      };
      log[level](facts, 'answered');
      if (error) log.debug({ err: error }, 'why');
    });
  }

  function refuse(socket: Socket, refusal: Refusal): void {
    // Opened in case it would be needed, and never used.
    if (socket.bytesRead === 0) return;
    const { reply, asked } = refusal;
    refusals.set(socket, refusal);
    // Known no longer once it is closed.
    const scope = scopeOf(asked?.request ?? { headers: {}, socket });
    // A request that is open on it tells of it first, and knows more.
    socket.once('close', () => {
      const level = levelOf(reply.status);
      if (!refusals.delete(socket) || !isWanted(level, true)) return;
      const { request, route = null } = asked ?? {};
      const facts = {
        method: request?.method,
        route,
        status: reply.status,
        code: codeOf(reply),
        request_id: null,
        scope,
      };
      log[level](facts, 'answered');
    });
  }

  onExchange(server, follow);
  onRefusal(server, refuse);
  return throttle.close;
}

const levelOf = (status: number | null) => (status !== null && status >= 500 ? 'warn' : 'info');
const codeOf = ({ body }: JsonReply): unknown => ('code' in body ? body.code : undefined);
