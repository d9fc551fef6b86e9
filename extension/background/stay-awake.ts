import type { HopState } from '#shared/hops.ts';

import type { ExtensionState } from '../state.ts';

/** After a day the bridge wants an answer no more. */
const wantedMs = 24 * 60 * 60_000;

/** Whether there is a bridge, even one that wants something first. */
const isThere = (state: HopState<'bridge'>): boolean =>
  state !== 'connecting' && state !== 'no_bridge' && state !== 'not_our_bridge';

/** Whether something would be lost with the page, or late: what it holds and what it waits for is nowhere else. */
export function mustStayAwake({ hops, held, awaitsSignIn }: ExtensionState, now: number): boolean {
  const { state, since } = hops.bridge;
  return isThere(state) || awaitsSignIn || (held > 0 && now - since < wantedMs);
}
