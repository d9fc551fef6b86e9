import type { HopStatus } from './hops.ts';

/** Whether what calls come to outlasts the bridge (`full`), or is lost with it. */
export const durabilities = ['full', 'degraded'] as const;
export type Durability = (typeof durabilities)[number];

/** The JSON of `GET /api/status`: how things are now. Times are ISO 8601, durations milliseconds. */
export interface BridgeStatus extends HopStatus {
  bridge: { version: string; uptime_ms: number };
  /** Connected extensions; empty when none is. */
  extensions: ExtensionStatus[];
  /** Of the extension that `hops` tells of: the one that has come furthest. */
  puter: PuterStatus;
  queue: { queued: number; running: number };
  durability: Durability;
  /** What is wrong with what the bridge keeps on disk, a sentence each. */
  notices: string[];
}

export interface ExtensionStatus {
  browser: string;
  version: string;
  since: string;
  paused: boolean;
  lanes: { busy: number; free: number };
  puter: PuterStatus;
}

/** `reachable` is null until Puter was tried. */
export interface PuterStatus {
  signed_in: boolean;
  username: string | null;
  reachable: boolean | null;
}
