import { extensionOrigin } from '#shared/extension-id.ts';

import { isReachable } from '../is-reachable.ts';

const timeoutMs = 2000;

/** Null where the bridge is there, or where something is of which only a socket can tell more. */
export async function probe(
  address: string,
  origin: string,
  stop: AbortSignal,
): Promise<'no_bridge' | 'not_our_bridge' | null> {
  const url = `${address}/health`;
  const signal = () => AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  // The bridge lets itself be read by the one extension that it knows by its id.
  if (origin !== extensionOrigin) return (await isReachable(url, signal())) ? null : 'no_bridge';
  try {
    // Only the bridge lets this extension read its answer.
    const response = await fetch(url, { cache: 'no-store', signal: signal() });
    return response.ok ? null : 'not_our_bridge';
  } catch {
    return (await isReachable(url, signal())) ? 'not_our_bridge' : 'no_bridge';
  }
}
