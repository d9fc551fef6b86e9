import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { localsOf } from '../http/locals.ts';
import { onExchange } from '../http/on-exchange.ts';
import type { Log } from './log.ts';
import { createThrottle } from './throttle.ts';

/** Of refusals, so many a second get a line of their own. */
const refusalsPerSecond = 10;

/** One line for every request that came to its end. Returns how to stop. */
export function logAnswers(server: Server, log: Log, options: { now: () => number }): () => void {
  const { now } = options;
  const throttle = createThrottle({
    perSecond: refusalsPerSecond,
    onSuppressed: (count) => log.info({ suppressed: count }, `suppressed ${count} refusals`),
  });

  function follow({ method, socket }: IncomingMessage, response: ServerResponse): void {
    const startedAt = now();
    const bytesBefore = socket.bytesWritten;
    response.on('close', () => {
      const { statusCode: status, writableFinished } = response;
      const level = status >= 500 ? 'warn' : 'info';
      if (!log.isLevelEnabled(level)) return;
      if (status >= 400 && status < 500 && !throttle.take()) return;
      const { route = null, pass, error, headers } = localsOf(response);
      const facts = {
        method,
        route,
        status,
        code: error?.code,
        cut: writableFinished ? undefined : true,
        ms: Math.round(now() - startedAt),
        bytes: socket.bytesWritten - bytesBefore,
        request_id: headers?.['x-request-id'] ?? null,
        scope: pass?.scope ?? null,
      };
      log[level](facts, 'answered');
      if (error) log.debug({ err: error }, 'why');
    });
  }

  onExchange(server, follow);
  return throttle.close;
}
