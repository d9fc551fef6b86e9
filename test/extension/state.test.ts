import { describe, expect, it } from 'vitest';

import { toLight, type ExtensionState } from '../../extension/state.ts';

const ready: ExtensionState = {
  bridge: { status: 'connected' },
  puter: { session: 'signed_in', username: 'ada', reachable: true },
  running: 0,
};
const signedOut = { ...ready.puter, session: 'signed_out' as const };
const unreachable = { ...ready.puter, reachable: false };
const gone = { status: 'disconnected', reason: 'No bridge answers on 127.0.0.1:5001.' } as const;
const connecting = { status: 'connecting' } as const;

describe('the light', () => {
  it.each<[string, Partial<ExtensionState>, string, string, string]>([
    ['everything is there', {}, 'green', '✓', 'Ready.'],
    ['Puter was not tried yet', { puter: { ...ready.puter, reachable: null } }, 'green', '✓', 'Ready.'],
    ['one call runs', { running: 1 }, 'yellow', '1', 'Processing 1 request.'],
    ['several calls run', { running: 12 }, 'yellow', '12', 'Processing 12 requests.'],
    ['the bridge is being dialled', { bridge: connecting }, 'yellow', '…', 'Connecting to the bridge.'],
    ['the bridge is gone', { bridge: gone }, 'red', '!', gone.reason],
    ['nobody is signed in', { puter: signedOut }, 'red', '!', 'Not signed in to Puter.'],
    [
      'the session ended',
      { puter: { ...ready.puter, session: 'expired' } },
      'red',
      '!',
      'Puter ended the session. Sign in again.',
    ],
    ['Puter is out of reach', { puter: unreachable }, 'red', '!', 'Puter cannot be reached. Check the network.'],
  ])('when %s says so', (_, change, color, badge, sentence) => {
    expect(toLight({ ...ready, ...change })).toEqual({ color, badge, sentence });
  });

  it('names the first broken hop, from the bridge to Puter', () => {
    expect(toLight({ bridge: gone, puter: signedOut, running: 1 }).sentence).toBe(gone.reason);
    expect(toLight({ bridge: connecting, puter: signedOut, running: 1 }).badge).toBe('…');
    expect(toLight({ ...ready, puter: { ...signedOut, reachable: false } }).sentence).toContain('signed in');
    expect(toLight({ ...ready, puter: unreachable, running: 1 }).color).toBe('red');
  });
});
