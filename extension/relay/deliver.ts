import type { Delivery } from '#shared/protocol.ts';

/** The bridge has the answer, or wants none. What it cannot take this way may still go through the socket. */
const settledStatuses = new Set([200, 404, 409]);

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
    return settledStatuses.has(response.status);
  } catch {
    return false;
  }
}
