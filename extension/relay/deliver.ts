import type { Delivery } from './outbox.ts';

/** The bridge has the answer, or wants none. What it cannot take this way may still go through the socket. */
const settledStatuses = new Set([200, 404, 409]);

/** Hands one whole answer in by HTTP. True where the bridge has it or does not want it; false: keep it. */
export async function deliver(options: {
  port: number;
  secret: string;
  requestId: string;
  delivery: Delivery;
}): Promise<boolean> {
  const { port, secret, requestId, delivery } = options;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/result`, {
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
