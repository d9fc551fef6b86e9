import type { LaneName } from './lanes/lane-messages.ts';
import { createLanePool } from './lanes/pool.ts';
import { startAccount, type Account } from './puter/account.ts';
import { startRelay, type Relay } from './relay/relay.ts';
import type { BridgeState, ExtensionState } from './state.ts';
import type { Context } from './storage.ts';

/** The background page's whole work, put together: account, lanes and relay, kept in step with the settings. */
export interface Station {
  /** Works with these settings and this session from now on. Running calls go on, unless the bridge is another. */
  use(context: Context): void;
  /** Calls `listener` now and after every change. Returns how to stop. */
  watch(listener: (state: ExtensionState) => void): () => void;
}

export function startStation(options: { context: Context; browser: string; laneUrl: string }): Station {
  const { browser, laneUrl } = options;
  const listeners = new Set<(state: ExtensionState) => void>();
  // One id per life of this page: what it held in memory goes with it.
  const instance = crypto.randomUUID();
  let { context } = options;
  let bridge: BridgeState = { status: 'connecting' };
  let account = openAccount();
  const pool = createLanePool({
    lanes: () => context.settings.lanes,
    token: () => context.session?.token ?? '',
    spawn() {
      const { apiOrigin, guiOrigin } = context.settings;
      return new Worker(laneUrl, { name: JSON.stringify({ apiOrigin, guiOrigin } satisfies LaneName) });
    },
  });
  let relay = openRelay();

  function openAccount(): Account {
    return startAccount({
      session: context.session,
      onChange() {
        relay.tellStatus();
        changed();
      },
    });
  }

  function openRelay(): Relay {
    return startRelay({
      port: context.settings.bridgePort,
      identity: { instance, profile: context.profile, version: context.version, browser },
      lanes: () => context.settings.lanes,
      defaultModel: () => context.settings.defaultModel,
      pool,
      puterState: () => account.state(),
      onBridgeState(state) {
        bridge = state;
        changed();
      },
      onRunning: changed,
      // The account of that moment: its refusal says nothing about one that was signed in meanwhile.
      followCall: () => account.learn,
    });
  }

  const state = (): ExtensionState => ({ bridge, puter: account.state(), running: relay.running() });

  function changed(): void {
    for (const listener of listeners) listener(state());
  }

  return {
    use(next) {
      const { settings: old, session: oldSession } = context;
      context = next;
      const { settings, session } = next;
      const isSamePuter = settings.apiOrigin === old.apiOrigin && settings.guiOrigin === old.guiOrigin;
      if (!isSamePuter || settings.lanes !== old.lanes) pool.renew();
      if (session?.token !== oldSession?.token || settings.apiOrigin !== old.apiOrigin) {
        account.close();
        account = openAccount();
      }
      if (settings.bridgePort !== old.bridgePort) {
        relay.close();
        relay = openRelay();
      }
      relay.tellStatus();
      changed();
    },
    watch(listener) {
      listeners.add(listener);
      listener(state());
      return () => void listeners.delete(listener);
    },
  };
}
