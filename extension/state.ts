import type { HopFacts } from '#shared/hops.ts';
import type { Durability } from '#shared/status.ts';

import type { Allowance } from './puter/allowance.ts';
import type { Plan } from './puter/standing.ts';
import type { FinishedCall, RunningCall } from './relay/activity.ts';
import type { Settings } from './settings.ts';

/** Everything that badge and pages show, from the live socket, the live account and the calls of this moment. */
export interface ExtensionState {
  /** Of this extension. */
  version: string;
  settings: Settings;
  /** A token is stored, of this Puter or of another. */
  hasSession: boolean;
  paused: boolean;
  hops: HopFacts;
  running: RunningCall[];
  /** Requests that run, or whose answer the bridge has not got: it is nowhere else. */
  held: number;
  /** A sign-in in a tab may still come back. */
  awaitsSignIn: boolean;
  /** Requests that wait in the bridge; null while it is not connected. */
  queued: number | null;
  /** Of what the bridge keeps. */
  durability: Durability;
  /** Newest first. */
  finished: FinishedCall[];
  /** Of this month; null until Puter told. */
  allowance: Allowance | null;
  plan: Plan | null;
  /** How many calls run at once. */
  lanes: number;
}
