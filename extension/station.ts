import { changeFact, type HopFact } from '#shared/hops.ts';

import type { LaneName } from './lanes/lane-messages.ts';
import { createLanePool } from './lanes/pool.ts';
import { startAccount, type Account } from './puter/account.ts';
import { createTabSignIn } from './puter/tab-sign-in.ts';
import { createActivity } from './relay/activity.ts';
import { startRelay, type Relay } from './relay/relay.ts';
import { lanesByPlan } from './settings.ts';
import type { ExtensionState } from './state.ts';
import type { Context, Session } from './storage.ts';

/** The background page's whole work, put together: account, lanes and relay, kept in step with the settings. */
export interface Station {
  /** Works with these settings and this session from now on. Running calls go on, unless the bridge is another. */
  use(context: Context): void;
  /** Calls `listener` now and after every change. Returns how to stop. */
  watch(listener: (state: ExtensionState) => void): () => void;
  /** The same for somebody who looks: what they see must be right at every moment. */
  look(listener: (state: ExtensionState) => void): () => void;
  stopCall(requestId: string): void;
  /** Tries bridge and Puter again at once. */
  retry(): void;
  /** Begins a sign-in in a tab; resolves with its address, null where no bridge could take the answer. */
  beginSignIn(): string | null;
}

export function startStation(options: {
  context: Context;
  browser: string;
  laneUrl: string;
  /** A sign-in in a tab came back. */
  keepSession: (session: Session) => void;
}): Station {
  const { browser, laneUrl, keepSession } = options;
  const listeners = new Set<(state: ExtensionState) => void>();
  // One id per life of this page: what it held in memory goes with it.
  const instance = crypto.randomUUID();
  let { context } = options;
  let link: HopFact<'bridge'> = { state: 'connecting', since: Date.now(), until: null, detail: null };
  let pausedSince = Date.now();
  let bridge = { queued: 0, watched: false };
  let lookers = 0;
  let account = openAccount();
  const activity = createActivity({ now: Date.now, onChange: changed });
  const tabSignIn = createTabSignIn({ now: Date.now });
  const pool = createLanePool({
    lanes,
    token: () => context.session?.token ?? '',
    spawn() {
      const { apiOrigin, guiOrigin } = context.settings;
      return new Worker(laneUrl, { name: JSON.stringify({ apiOrigin, guiOrigin } satisfies LaneName) });
    },
  });
  let relay = openRelay();
  // What the network does, the account should know at once.
  for (const event of ['online', 'offline']) addEventListener(event, () => account.check());

  function openAccount(): Account {
    return startAccount({
      session: context.session,
      isWatched: () => lookers > 0 || bridge.watched,
      now: Date.now,
      onChange() {
        relay.tellStatus();
        changed();
      },
    });
  }

  function openRelay(): Relay {
    return startRelay({
      address: context.settings.bridgeAddress,
      identity: { instance, profile: context.profile, version: context.version, browser },
      defaultModel: () => context.settings.defaultModel,
      pool,
      activity,
      status: () => ({ lanes: lanes(), paused: context.paused, account: account.state() }),
      onLink(state) {
        link = changeFact(link, state, Date.now());
        changed();
      },
      onBridgeStatus(status) {
        if (status.watched && !bridge.watched) account.check();
        bridge = status;
        changed();
      },
      onToken({ state, token }) {
        const apiOrigin = tabSignIn.redeem(state);
        if (apiOrigin !== null) keepSession({ token, apiOrigin });
      },
      // The account of that moment: its refusal says nothing about one that was signed in meanwhile.
      followCall: () => account.learn,
    });
  }

  function lanes(): number {
    const { lanes: chosen } = context.settings;
    // Until Puter told which plan it is, as many as any plan has.
    return chosen === 'auto' ? lanesByPlan[account.plan() ?? 'temporary'] : chosen;
  }

  /** A pause shows where there is something to pause. */
  const bridgeHop = (): HopFact<'bridge'> =>
    context.paused && link.state === 'connected' ? { ...link, state: 'paused', since: pausedSince } : link;

  const state = (): ExtensionState => ({
    version: context.version,
    settings: context.settings,
    hasSession: context.session !== null,
    paused: context.paused,
    hops: { bridge: bridgeHop(), ...account.state() },
    running: activity.running(),
    queued: link.state === 'connected' ? bridge.queued : null,
    finished: activity.finished(),
    allowance: account.allowance(),
    plan: account.plan(),
    lanes: lanes(),
  });

  function changed(): void {
    for (const listener of listeners) listener(state());
  }

  function watch(listener: (state: ExtensionState) => void): () => void {
    listeners.add(listener);
    listener(state());
    return () => void listeners.delete(listener);
  }

  return {
    use(next) {
      const { settings: old, session: oldSession, paused: wasPaused } = context;
      const oldLanes = lanes();
      context = next;
      const { settings, session } = next;
      if (next.paused !== wasPaused) pausedSince = Date.now();
      if (session?.token !== oldSession?.token || settings.apiOrigin !== old.apiOrigin) {
        account.close();
        account = openAccount();
        if (lookers > 0) account.look();
      }
      const isSamePuter = settings.apiOrigin === old.apiOrigin && settings.guiOrigin === old.guiOrigin;
      if (!isSamePuter || lanes() < oldLanes) pool.renew();
      if (settings.bridgeAddress !== old.bridgeAddress) {
        relay.close();
        relay = openRelay();
      }
      relay.tellStatus();
      changed();
    },
    watch,
    look(listener) {
      lookers += 1;
      account.look();
      const stop = watch(listener);
      return () => {
        lookers -= 1;
        stop();
      };
    },
    stopCall: (requestId) => relay.stop(requestId),
    retry() {
      relay.retry();
      account.check();
    },
    beginSignIn() {
      const { apiOrigin, bridgeAddress, guiOrigin } = context.settings;
      const { state, url } = tabSignIn.begin({ apiOrigin, guiOrigin, callback: `${bridgeAddress}/auth/callback` });
      return relay.announceSignIn(state) ? url : null;
    },
  };
}
