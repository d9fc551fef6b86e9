import type { FrameToExtension, PuterState } from '#shared/protocol.ts';

/** A connected extension, as the dispatcher sees it. */
export interface Peer {
  readonly instance: string;
  readonly profile: string;
  /** How many calls it runs at once. */
  readonly lanes: number;
  readonly puter: PuterState;
  send(frame: FrameToExtension): void;
}
