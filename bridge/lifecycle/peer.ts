import type { AccountState } from '#shared/hops.ts';
import type { FrameToExtension } from '#shared/protocol.ts';

/** A connected extension, as the dispatcher sees it. */
export interface Peer {
  readonly instance: string;
  readonly profile: string;
  /** How many calls it runs at once. */
  readonly lanes: number;
  /** How many calls Puter lets it start in ten seconds. */
  readonly rate: number;
  /** The person wants no requests now. What runs goes on. */
  readonly paused: boolean;
  readonly account: AccountState;
  /** At the end of this turn, together with what else is sent in it. */
  send(frame: FrameToExtension): void;
  /** At once. */
  sendNow(frame: FrameToExtension): void;
}
