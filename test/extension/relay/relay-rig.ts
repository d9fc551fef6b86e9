import { expect, onTestFinished, vi } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';
import type { HopState } from '#shared/hops.ts';
import type { Model } from '#shared/models.ts';
import type { Frame, FrameToExtension } from '#shared/protocol.ts';

import type { CallHandlers, LanePool } from '../../../extension/lanes/pool.ts';
import { createActivity } from '../../../extension/relay/activity.ts';
import type { LinkState } from '../../../extension/relay/link.ts';
import { startRelay } from '../../../extension/relay/relay.ts';
import { ids } from '../../bridge/connection/connections-rig.ts';
import { actAsExtensionPage } from './extension-page.ts';
import { patiently } from './scripted-bridge.ts';

export interface LaneCall extends CallHandlers {
  chat: ChatRequest;
  isCancelled: boolean;
}

/** The relay at `address`, with lanes that the test speaks for and a clock that only the test moves. */
export function startRelayRig(address: string) {
  actAsExtensionPage();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());

  const calls: LaneCall[] = [];
  const states: LinkState['state'][] = [];
  const outcomes: (Failure | null)[] = [];
  const bridgeStatus: unknown[] = [];
  const tokens: Frame<FrameToExtension, 'token'>[] = [];
  const settings = {
    defaultModel: '',
    paused: false,
    lanes: 3,
    session: 'signed_in' as HopState<'session'>,
    models: null as Model[] | null,
    /** The state of a sign-in in a tab. */
    signIn: null as string | null,
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
    defaultModel: () => settings.defaultModel,
    pool,
    status: () => ({
      lanes: settings.lanes,
      paused: settings.paused,
      account: { session: { ...fact, state: settings.session }, puter: { ...fact, state: 'reachable' } },
    }),
    activity,
    models: () => settings.models,
    onLink: ({ state }) => states.push(state),
    onBridgeStatus: ({ queued, watched }) => bridgeStatus.push({ queued, watched }),
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
