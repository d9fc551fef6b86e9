import type { BridgeStatus, ExtensionStatus } from '#shared/status.ts';

/** A bridge that has just started, with what a test changes about it. */
export const createStatus = (change: Partial<BridgeStatus> = {}): BridgeStatus => ({
  bridge: { version: '1.2.3', uptime_ms: 0 },
  extensions: [],
  puter: { signed_in: false, username: null, reachable: null },
  queue: { queued: 0, running: 0 },
  ...change,
});

export const extensionStatus: ExtensionStatus = {
  browser: 'Chrome 156',
  version: '1.2.3',
  since: '2026-11-24T00:00:00.000Z',
  lanes: { busy: 1, free: 2 },
  puter: { signed_in: false, username: null, reachable: null },
};
