import { extensionOrigin } from '#shared/extension-id.ts';

import { isReachable } from '../is-reachable.ts';

const timeoutMs = 2000;

/** Null where the bridge is there, or where only a socket can tell. */
export async function probe(
  address: string,
  origin: string,
  stop: AbortSignal,
): Promise<'no_bridge' | 'not_our_bridge' | null> {
  // By HTTP the bridge answers the extension that it knows by its id, and hides from any other even that it is there.
  if (origin !== extensionOrigin) return null;
  const url = `${address}/health`;
  const signal = () => AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  try {
    // Only the bridge lets this extension read its answer.
    const response = await fetch(url, { cache: 'no-store', signal: signal() });
    return response.ok ? null : 'not_our_bridge';
  } catch {
    return (await isReachable(url, signal())) ? 'not_our_bridge' : 'no_bridge';
  }
}
