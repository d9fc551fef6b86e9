import { isReachable } from '../is-reachable.ts';

const timeoutMs = 2000;

/** Null where the bridge is there. */
export async function probe(address: string, stop: AbortSignal): Promise<'no_bridge' | 'not_our_bridge' | null> {
  const url = `${address}/health`;
  const signal = () => AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  try {
    // Only the bridge lets extensions read its answer.
    const response = await fetch(url, { cache: 'no-store', signal: signal() });
    return response.ok ? null : 'not_our_bridge';
  } catch {
    return (await isReachable(url, signal())) ? 'not_our_bridge' : 'no_bridge';
  }
}
