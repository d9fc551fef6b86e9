import * as v from 'valibot';

import type { Delivery } from '#shared/protocol.ts';

/** What only the bridge says, where it has the answer or wants none. Else it may still go through the socket. */
const settledSchema = (requestId: string) =>
  v.union([
    v.object({ status: v.literal('success'), request_id: v.literal(requestId) }),
    v.object({ status: v.literal('error'), code: v.picklist(['not_found', 'already_answered']) }),
  ]);

/** Hands one whole answer in by HTTP. True where the bridge has it or does not want it; false: keep it. */
export async function deliver(options: {
  /** The origin of the bridge. */
  address: string;
  secret: string;
  requestId: string;
  delivery: Delivery;
}): Promise<boolean> {
  const { address, secret, requestId, delivery } = options;
  try {
    const response = await fetch(`${address}/api/result`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${secret}` },
      body: JSON.stringify({ request_id: requestId, ...delivery }),
      signal: AbortSignal.timeout(10_000),
    });
    // Not by its status: another program may listen there by now, and an answer is forgotten for what this says.
    return v.is(settledSchema(requestId), await response.json());
  } catch {
    return false;
  }
}
