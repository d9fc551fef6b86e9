/** The JSON of `GET /api/status`: the three hops as they are now. Times are ISO 8601, durations milliseconds. */
export interface BridgeStatus {
  bridge: { version: string; uptime_ms: number };
  /** Connected extensions; empty when none is. */
  extensions: ExtensionStatus[];
  /** Over all extensions: one that is signed in, or that reached Puter, is enough. */
  puter: PuterStatus;
  queue: { queued: number; running: number };
}

export interface ExtensionStatus {
  browser: string;
  version: string;
  since: string;
  lanes: { busy: number; free: number };
  puter: PuterStatus;
}

/** `reachable` is null until Puter was tried. */
export interface PuterStatus {
  signed_in: boolean;
  username: string | null;
  reachable: boolean | null;
}
