import { expect, onTestFinished } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';
import { extensionOrigin } from '#shared/extension-id.ts';
import type { HopState } from '#shared/hops.ts';
import type { Model } from '#shared/models.ts';
import type { Frame, FrameToExtension } from '#shared/protocol.ts';

import type { CallHandlers, LanePool } from '../../../extension/lanes/pool.ts';
import { createActivity } from '../../../extension/relay/activity.ts';
import type { LinkState } from '../../../extension/relay/endings.ts';
import type { BridgePairing } from '../../../extension/relay/introduction.ts';
import { startRelay } from '../../../extension/relay/relay.ts';
import { ids } from '../../bridge/connection/connections-rig.ts';
import { actAsExtensionPage } from './extension-page.ts';
import { patiently, startScriptedBridge, type Line } from './scripted-bridge.ts';
import { stopClock } from './stopped-clock.ts';

export const requestId = '0190a8f0-0000-7000-8000-0000000000c1';
export const otherId = '0190a8f0-0000-7000-8000-0000000000c2';
export const end = { finishReason: 'stop', model: null, usage: { inputTokens: 11, outputTokens: 7 } } as const;
export const text = (text: string) => ({ type: 'text' as const, text });
export const request = (change: Partial<Frame<FrameToExtension, 'request'>> = {}): FrameToExtension => ({
  type: 'request',
  requestId,
  chat: { messages: [{ role: 'user', content: 'hi' }] },
  caller: 'curl/8',
  ...change,
});

export interface LaneCall extends CallHandlers {
  chat: ChatRequest;
  isCancelled: boolean;
}

/** The relay at `address`, with lanes that the test speaks for and a clock that only the test moves. */
export function startRelayRig(address: string) {
  actAsExtensionPage();
  stopClock();

  const calls: LaneCall[] = [];
  const states: LinkState['state'][] = [];
  const outcomes: (Failure | null)[] = [];
  const held: number[] = [];
  const bridgeStatus: unknown[] = [];
  const tokens: Frame<FrameToExtension, 'token'>[] = [];
  const settings = {
    defaultModel: '',
    paused: false,
    lanes: 3,
    rate: 30,
    session: 'signed_in' as HopState<'session'>,
    models: null as Model[] | null,
    /** The state of a sign-in in a tab. */
    signIn: null as string | null,
    pairing: null as BridgePairing | null,
  };
  const pool: LanePool = {
    run(chat, handlers) {
      const call: LaneCall = { ...handlers, chat, isCancelled: false };
      calls.push(call);
      return { cancel: () => void (call.isCancelled = true) };
    },
    renew: () => {},
  };
  const activity = createActivity({ now: Date.now, onChange: () => {} });
  const fact = { since: 0, until: null, detail: null };
  const relay = startRelay({
    address,
    identity: { instance: ids.instance, profile: ids.profile, version: '1.2.3', browser: 'Chrome 156' },
    introduction: {
      origin: extensionOrigin,
      pairing: () => settings.pairing,
      onPaired: () => {},
      isWatched: () => false,
    },
    defaultModel: () => settings.defaultModel,
    pool,
    status: () => ({
      lanes: settings.lanes,
      rate: settings.rate,
      paused: settings.paused,
      account: { session: { ...fact, state: settings.session }, puter: { ...fact, state: 'reachable' } },
    }),
    activity,
    models: () => settings.models,
    onLink: ({ state }) => states.push(state),
    onForgotten: () => held.push(relay.held()),
    onBridgeStatus: ({ queued, watched, durability }) => bridgeStatus.push({ queued, watched, durability }),
    pendingSignIn: () => settings.signIn,
    onToken: (frame) => tokens.push(frame),
    followCall: () => (failure) => outcomes.push(failure),
  });
  onTestFinished(relay.close);

  return {
    relay,
    activity,
    calls,
    outcomes,
    /** How many requests were held each time that one was forgotten. */
    held,
    bridgeStatus,
    tokens,
    settings,
    become: (state: LinkState['state']) => expect.poll(() => states.at(-1), patiently).toBe(state),
    /** The call that is the `index`th to reach a lane. */
    async call(index = 0): Promise<LaneCall> {
      await expect.poll(() => calls.length, patiently).toBeGreaterThan(index);
      return calls[index] ?? expect.fail('No call.');
    },
  };
}

export async function start(options: Parameters<typeof startScriptedBridge>[0] = {}) {
  const bridge = await startScriptedBridge(options);
  const rig = startRelayRig(bridge.address);
  const line = await bridge.nextLine();
  return { bridge, rig, line };
}

export async function startConnected() {
  const started = await start();
  started.line.welcome();
  await started.rig.become('connected');
  return started;
}

export const typesOf = (line: Line, id = requestId) =>
  line.frames.filter((frame) => 'requestId' in frame && frame.requestId === id).map(({ type }) => type);
