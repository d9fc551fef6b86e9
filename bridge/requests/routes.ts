import { BridgeError } from '#shared/errors.ts';

import type { Chats } from '../chat/chats.ts';
import type { Exchange, Reply, Route } from '../http/route.ts';
import { withoutPrefix } from '../id-prefix.ts';
import type { Journal } from '../journal/journal.ts';
import type { Recovery } from '../journal/recover.ts';
import type { JournalHead, JournalRow } from '../journal/row.ts';
import { isOwn } from '../journal/results.ts';

/** How many are listed. */
const listed = 100;

/**
 * `/api/requests`: what runs, what waits, what was, and how to stop one. Not for web pages: they need not know of what
 * other programs ask.
 */
export function createRequestRoutes(options: {
  chats: Chats;
  journal: Journal;
  recovery: Pick<Recovery, 'cancel'>;
}): Route[] {
  const { chats, journal, recovery } = options;

  function find(exchange: Exchange): JournalRow {
    const row = journal.find(withoutPrefix(exchange.param('requestId')));
    if (row && isOwn(row, exchange.scope)) return row;
    throw new BridgeError('not_found', 'No request has this id, or none has any more: they are kept for a while only.');
  }

  /** Where nobody waits for it any more, its call went out before the bridge was started anew. */
  const isUnknown = ({ id, status }: JournalHead): boolean => status === 'dispatched' && !chats.isRunning(id);

  const describe = (row: JournalHead): object => {
    const { id, status, createdAt, finishedAt } = row;
    return {
      request_id: id,
      status: isUnknown(row) ? 'unknown' : status,
      created_at: new Date(createdAt).toISOString(),
      finished_at: finishedAt === null ? null : new Date(finishedAt).toISOString(),
    };
  };

  return [
    {
      method: 'GET',
      path: '/api/requests',
      handle({ scope }): Reply {
        const own = journal.latest(listed, (head) => isOwn(head, scope));
        return { status: 200, body: { status: 'success', requests: own.map(describe) } };
      },
    },
    {
      method: 'GET',
      path: '/api/requests/:requestId',
      handle: (exchange): Reply => ({ status: 200, body: describe(find(exchange)) }),
    },
    {
      method: 'DELETE',
      path: '/api/requests/:requestId',
      handle(exchange): Reply {
        const { id } = find(exchange);
        const reason = new BridgeError('cancelled', 'The request was cancelled by DELETE.');
        const isCancelled = chats.cancel(id, reason) || recovery.cancel(id, reason);
        return { status: 200, body: { status: isCancelled ? 'cancelled' : 'finished', request_id: id } };
      },
    },
  ];
}
