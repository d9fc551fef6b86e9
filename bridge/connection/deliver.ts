import * as v from 'valibot';

import { BridgeError } from '#shared/errors.ts';
import { deliverySchema } from '#shared/protocol.ts';

import { parseBody } from '../http/body.ts';
import type { Route } from '../http/route.ts';
import type { Dispatcher } from '../lifecycle/dispatcher.ts';
import type { Results } from '../journal/results.ts';
import type { Secrets } from './secrets.ts';

const bodySchema = v.intersect([v.object({ request_id: v.string('must be a string') }), deliverySchema]);

/** The extension's second way to hand in an answer, for when its socket is down. */
export function createDeliverRoute(options: { dispatcher: Dispatcher; results: Results; secrets: Secrets }): Route {
  const { dispatcher, results, secrets } = options;
  return {
    method: 'POST',
    path: '/api/result',
    access: 'secret',
    fromExtension: 'known',
    async handle(exchange) {
      const secret = /^Bearer (\S+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
      const instance = secret === undefined ? undefined : secrets.holder(secret);
      if (instance === undefined) {
        throw new BridgeError('not_the_extension', 'Only the connected extension may deliver answers.');
      }
      const { request_id: requestId, ...delivery } = parseBody(bodySchema, await exchange.json());
      const isTaken = dispatcher.deliver(instance, requestId, delivery);
      const recording = dispatcher.recording(instance, requestId);
      if (!isTaken && !recording) {
        const known = results.get(requestId);
        if (known && known.status !== 'pending')
          throw new BridgeError('already_answered', 'This request already has its answer.');
        throw new BridgeError('not_found', 'This extension runs no request with this id.');
      }
      // The extension forgets what it has handed in.
      await recording;
      await results.settled();
      return { status: 200, body: { status: 'success', request_id: requestId } };
    },
  };
}
