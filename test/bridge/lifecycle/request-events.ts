import type { RequestEvent } from '../../../bridge/lifecycle/request-state.ts';

export const error = { code: 'upstream_failed', message: 'Puter refused the call.' } as const;

/** Small on purpose: two instances and the first few seqs meet every branch. */
export const alphabet: readonly RequestEvent[] = [
  { type: 'dispatched', instance: 'a' },
  { type: 'dispatched', instance: 'b' },
  { type: 'started' },
  { type: 'chunk', seq: 0 },
  { type: 'chunk', seq: 1 },
  { type: 'ended', seq: 0 },
  { type: 'ended', seq: 1 },
  { type: 'delivered', seq: 0 },
  { type: 'delivered', seq: 1 },
  { type: 'failed', error },
  { type: 'cancelled' },
  { type: 'timed_out' },
  { type: 'lost' },
  { type: 'resumed' },
  { type: 'never_started' },
  { type: 'refused' },
];
