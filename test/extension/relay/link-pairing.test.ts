import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { readCode } from '#shared/pairing/code.ts';
import { closeCodes, encodeFrame, retryAfterReason, type FrameToBridge } from '#shared/protocol.ts';

import type { Bridge } from '../../../bridge/bridge.ts';
import type { LinkState } from '../../../extension/relay/endings.ts';
import type { BridgePairing } from '../../../extension/relay/introduction.ts';
import { startLink } from '../../../extension/relay/link.ts';
import { hello as helloOf } from '../../bridge/connection/connections-rig.ts';
import { hexBytes } from '../../bridge/pairing/pairing-rig.ts';
import { startTemporaryBridge } from '../../bridge/temporary-bridge.ts';
import { actAsExtensionPage } from './extension-page.ts';
import { patiently, startScriptedBridge } from './scripted-bridge.ts';
import { stopClock } from './stopped-clock.ts';

beforeEach(() => {
  actAsExtensionPage();
  stopClock();
});

const longestWaitMs = 2500;

function dial(address: string, pairing: BridgePairing | null = null) {
  const states: LinkState[] = [];
  const paired: string[] = [];
  let held = pairing;
  const link = startLink({
    address,
    origin: extensionOrigin,
    pairing: () => held,
    onPaired(secret) {
      paired.push(secret);
      held = { secret, isOfAddress: true };
    },
    isWatched: () => true,
    hello: () => helloOf() as FrameToBridge & { type: 'hello' },
    onWelcome: () => {},
    onFrame: () => {},
    onState: (state) => states.push(state),
  });
  onTestFinished(link.close);
  const become = (state: LinkState['state']) => expect.poll(() => states.at(-1)?.state, patiently).toBe(state);
  return { link, states, paired, become };
}

async function startRealBridge(): Promise<Bridge> {
  const bridge = await startTemporaryBridge({ requirePairing: true });
  onTestFinished(() => bridge.close());
  return bridge;
}

const codeOf = (bridge: Bridge): string => readCode(bridge.pairing()?.code ?? '') ?? expect.fail('No code.');
const otherThan = (code: string): string => code.slice(0, -1) + (code.endsWith('2') ? '3' : '2');

describe('a link to a bridge that wants it paired', () => {
  it('says so, and is paired and connected by the code, typed once', async () => {
    const bridge = await startRealBridge();
    const { link, states, paired, become } = dial(bridge.url);
    await become('must_pair');
    expect(states.at(-1)?.detail).toBe(new URL(bridge.url).host);
    expect(bridge.pairing()).toMatchObject({ browser: 'Chrome 156', origin: extensionOrigin });
    expect(await link.pair(codeOf(bridge))).toBeNull();
    await become('connected');
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'must_pair', 'connected']);
    expect(paired).toEqual([expect.stringMatching(/^[\da-f]{64}$/)]);
    // From now on, nobody types anything.
    const again = dial(bridge.url, { secret: paired[0] ?? '', isOfAddress: true });
    await again.become('connected');
    expect([again.paired, bridge.pairing()]).toEqual([[], null]);
    expect(await again.link.pair('K7QM2XRD')).toBeNull();
  });

  it('tells that a code was wrong, waits for another, and is paired by that', async () => {
    const bridge = await startRealBridge();
    const { link, paired, become } = dial(bridge.url);
    await become('must_pair');
    const code = codeOf(bridge);
    for (let n = 0; n < 5; n += 1) expect(await link.pair(otherThan(code))).toBe('wrong_code');
    await become('must_pair');
    expect(await link.pair(code)).toBeNull();
    await become('connected');
    expect(paired).toHaveLength(1);
  });

  it('tells that too many were wrong, or that a code is used up', async () => {
    const bridge = await startRealBridge();
    const { link, become } = dial(bridge.url);
    await become('must_pair');
    const code = codeOf(bridge);
    for (let n = 0; n < 5; n += 1) await link.pair(otherThan(code));
    expect(await link.pair(otherThan(code))).toBe('too_many_tries');
    expect(await link.pair(code)).toBe('code_expired');
    await become('must_pair');
    // Whoever typed it looks, so that there is a new one.
    expect(await link.pair(codeOf(bridge))).toBeNull();
    await become('connected');
  });

  it('that forgot it says so, too, and pairs anew', async () => {
    const bridge = await startRealBridge();
    const { link, become, paired } = dial(bridge.url, { secret: hexBytes(), isOfAddress: true });
    await become('must_pair');
    expect(await link.pair(codeOf(bridge))).toBeNull();
    await become('connected');
    expect(paired).toHaveLength(1);
  });

  it('at its new address is connected by the secret of the old one, and keeps it', async () => {
    const bridge = await startRealBridge();
    const first = dial(bridge.url);
    await first.become('must_pair');
    await first.link.pair(codeOf(bridge));
    await first.become('connected');
    const [secret = ''] = first.paired;
    const moved = dial(bridge.url, { secret, isOfAddress: false });
    await moved.become('connected');
    expect(moved.paired).toEqual([secret]);
  });

  it('that is gone by then tells the person so', async () => {
    const bridge = await startRealBridge();
    const { link, become } = dial(bridge.url);
    await become('must_pair');
    const code = codeOf(bridge);
    await bridge.close();
    expect(await link.pair(code)).toBe('no_answer');
    await become('no_bridge');
  });

  it('tries the last code of several typed at once', async () => {
    const bridge = await startRealBridge();
    const { link, become } = dial(bridge.url);
    await become('must_pair');
    const code = codeOf(bridge);
    const outcomes = [link.pair(otherThan(code)), link.pair(otherThan(code)), link.pair(code)];
    expect(await outcomes[2]).toBeNull();
    expect(await outcomes[1]).toBe('no_answer');
    await become('connected');
  });

  it('lets nobody wait for it who closes the link', async () => {
    const bridge = await startRealBridge();
    const { link, become } = dial(bridge.url);
    await become('must_pair');
    const outcome = link.pair(codeOf(bridge));
    link.close();
    expect(await outcome).toBe('no_answer');
  });
});

describe('a program in the bridge’s place', () => {
  it('that offers to pair and does not know the code is told of as such', async () => {
    const bridge = await startScriptedBridge({
      greet(socket) {
        socket.send(encodeFrame({ type: 'challenge', nonce: hexBytes(), mustPair: true }));
        socket.on('message', (data: Buffer) => {
          const { type } = JSON.parse(data.toString('utf8')) as { type: string };
          // Any element of the group: that of its own guess.
          const share = 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157';
          if (type === 'pair') socket.send(encodeFrame({ type: 'offer', share }));
          if (type === 'auth') socket.send(encodeFrame({ type: 'proof', mac: hexBytes() }));
          if (type === 'knock') socket.close(closeCodes.notPaired);
        });
      },
    });
    const { link, paired, become } = dial(bridge.address);
    await become('must_pair');
    expect(await link.pair('K7QM2XRD')).toBe('other_bridge');
    await become('must_pair');
    expect([paired, bridge.lines.map(({ hello }) => hello.type)]).toEqual([[], []]);
  });
});

it('a link that was unpaired says so, and waits for a code', async () => {
  const bridge = await startScriptedBridge();
  const { become, states } = dial(bridge.address);
  const line = await bridge.nextLine();
  line.welcome();
  await become('connected');
  line.end(closeCodes.unpaired, 'This extension was unpaired.');
  await become('must_pair');
  expect(states.at(-1)?.detail).toBe(bridge.host);
});

it('a link that took another’s place too often comes back by itself once it may', async () => {
  const bridge = await startScriptedBridge();
  const { become } = dial(bridge.address);
  const line = await bridge.nextLine();
  line.end(closeCodes.tooOften, retryAfterReason(40_000));
  await become('replaced');
  await vi.advanceTimersByTimeAsync(39_999);
  expect(bridge.lines).toHaveLength(1);
  const next = bridge.nextLine();
  await vi.advanceTimersByTimeAsync(longestWaitMs);
  (await next).welcome();
  await become('connected');
});
