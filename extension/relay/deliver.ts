import type { Delivery } from '#shared/protocol.ts';

/** The bridge wants no answer, or has it. What it cannot take this way may still go through the socket. */
const settledCodes = new Set<unknown>(['not_found', 'already_answered']);

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
    const said = (await response.json()) as { status?: unknown; request_id?: unknown; code?: unknown };
    return said.status === 'success' ? said.request_id === requestId : settledCodes.has(said.code);
  } catch {
    return false;
  }
}
