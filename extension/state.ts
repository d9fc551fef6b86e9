import type { PuterState } from '#shared/protocol.ts';

/** How far the extension has come with the bridge. */
export type BridgeState =
  | { status: 'connecting' }
  | { status: 'connected' }
  | { status: 'disconnected'; reason: string };

/** Everything that popup and badge show, from the live socket and the live account. */
export interface ExtensionState {
  bridge: BridgeState;
  puter: PuterState;
  /** Calls that run now. */
  running: number;
}

export interface Light {
  color: 'green' | 'yellow' | 'red';
  /** Said beside the colour, which some people cannot see. */
  badge: string;
  sentence: string;
}

const red = (sentence: string): Light => ({ color: 'red', badge: '!', sentence });

/** The one light of the whole way to Puter: red with the first broken hop. */
export function toLight({ bridge, puter, running }: ExtensionState): Light {
  if (bridge.status === 'disconnected') return red(bridge.reason);
  if (bridge.status === 'connecting') return { color: 'yellow', badge: '…', sentence: 'Connecting to the bridge.' };
  if (puter.session === 'signed_out') return red('Not signed in to Puter.');
  if (puter.session === 'expired') return red('Puter ended the session. Sign in again.');
  if (puter.reachable === false) return red('Puter cannot be reached. Check the network.');
  if (running > 0) {
    return {
      color: 'yellow',
      badge: String(running),
      sentence: `Processing ${running} ${running === 1 ? 'request' : 'requests'}.`,
    };
  }
  return { color: 'green', badge: '✓', sentence: 'Ready.' };
}
