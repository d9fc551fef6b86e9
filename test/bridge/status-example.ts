import { describeHops, type HopFacts } from '#shared/hops.ts';
import type { BridgeStatus, ExtensionStatus } from '#shared/status.ts';

import { say } from '../../bridge/say.ts';

const fact = { since: Date.parse('2026-11-24T00:00:00Z'), until: null, detail: null };

const started: HopFacts = {
  bridge: { ...fact, state: 'no_extension' },
  session: { ...fact, state: 'unknown' },
  puter: { ...fact, state: 'unknown' },
};

/** One extension that got as far as it can, for a test to take away from. */
export const readyFacts: HopFacts = {
  bridge: { ...fact, state: 'connected', detail: 'Chrome 156' },
  session: { ...fact, state: 'signed_in', detail: 'ada' },
  puter: { ...fact, state: 'reachable' },
};

/** A bridge that has just started, with what a test changes about it. */
export function createStatus(change: Partial<BridgeStatus & { facts: HopFacts }> = {}): BridgeStatus {
  const { facts = started, ...rest } = change;
  const queue = rest.queue ?? { queued: 0, running: 0 };
  return {
    ...describeHops(facts, queue.running, say),
    bridge: { version: '1.2.3', uptime_ms: 0 },
    extensions: [],
    puter: { signed_in: false, username: null, reachable: null },
    queue,
    durability: 'full',
    notices: [],
    ...rest,
  };
}

export const extensionStatus: ExtensionStatus = {
  browser: 'Chrome 156',
  version: '1.2.3',
  since: '2026-11-24T00:00:00.000Z',
  paused: false,
  lanes: { busy: 1, free: 2 },
  puter: { signed_in: false, username: null, reachable: null },
};
