import { changeFact, type HopFact } from '#shared/hops.ts';
import type { Frame, FrameToExtension } from '#shared/protocol.ts';

import type { LaneName } from './lanes/lane-messages.ts';
import { createLanePool } from './lanes/pool.ts';
import { startAccount, type Account } from './puter/account.ts';
import { startCatalogue, type Catalogue } from './puter/catalogue.ts';
import type { Plan } from './puter/standing.ts';
import { createTabSignIn } from './puter/tab-sign-in.ts';
import { createActivity } from './relay/activity.ts';
import type { PairingProblem } from './relay/endings.ts';
import { startRelay, type Relay } from './relay/relay.ts';
import { isLoopback, lanesByPlan, rateByPlan } from './settings.ts';
import type { ExtensionState } from './state.ts';
import { isOf, type Context, type NewPairing, type Session } from './storage.ts';

/** The background page's whole work, put together: account, lanes and relay, kept in step with the settings. */
export interface Station {
  /** Works with these settings and this session from now on. Running calls go on, unless the bridge is another. */
  use(context: Context): void;
  /** Calls `listener` now and after every change. Returns how to stop. */
  watch(listener: (state: ExtensionState) => void): () => void;
  /** Somebody looks: what they see must be right at every moment. Returns how to stop. */
  look(): () => void;
  stopCall(requestId: string): void;
  /** Tries bridge and Puter again at once. */
  retry(): void;
  /** Pairs with the bridge by the code that the person typed; null where that went well. */
  pair(code: string): Promise<PairingProblem | null>;
  /** Begins a sign-in in a tab: its address, or what stands in the way. */
  beginSignIn(): { url: string } | { problem: TabSignInProblem };
}

/** While the bridge is not heard of. */
const unheard: Omit<Frame<FrameToExtension, 'status'>, 'type'> = { queued: 0, watched: false, durability: 'full' };

export type TabSignInProblem = 'sign_in_no_bridge' | 'sign_in_far_bridge';

export function startStation(options: {
  context: Context;
  browser: string;
  /** Of this extension. */
  origin: string;
  laneUrl: string;
  /** A sign-in in a tab came back. */
  keepSession: (session: Session) => void;
  keepPairing: (pairing: NewPairing) => void;
}): Station {
  const { browser, origin, laneUrl, keepSession, keepPairing } = options;
  const listeners = new Set<(state: ExtensionState) => void>();
  let { context } = options;
  let link: HopFact<'bridge'> = { state: 'connecting', since: Date.now(), until: null, detail: null };
  let pausedSince = Date.now();
  let told = unheard;
  let lookers = 0;
  let account = openAccount();
  const activity = createActivity({ now: Date.now, onChange: changed });
  const tabSignIn = createTabSignIn({ onChange: changed });
  const pool = createLanePool({
    lanes,
    token: () => context.session?.token ?? '',
    spawn() {
      const { apiOrigin, guiOrigin } = context.settings;
      return new Worker(laneUrl, { name: JSON.stringify({ apiOrigin, guiOrigin } satisfies LaneName) });
    },
  });
  // Only a bridge asks for it.
  let catalogue: Catalogue | undefined;
  let relay = openRelay();
  // What the network does, the account should know at once.
  for (const event of ['online', 'offline']) addEventListener(event, () => account.check());

  function openAccount(): Account {
    return startAccount({
      session: context.session,
      isWatched: () => lookers > 0 || told.watched,
      now: Date.now,
      onChange() {
        relay.tellStatus();
        changed();
      },
    });
  }

  function openCatalogue(): Catalogue {
    const { apiOrigin } = context.settings;
    return startCatalogue({ apiOrigin, onChange: () => relay.tellModels() });
  }

  function openRelay(): Relay {
    const address = context.settings.bridgeAddress;
    return startRelay({
      address,
      introduction: {
        origin,
        isWatched: () => lookers > 0,
        pairing: () => context.pairing,
        onPaired(secret) {
          context = { ...context, pairing: { secret, isOfAddress: true } };
          keepPairing({ address, secret });
        },
      },
      // Whatever a relay held goes with it, so it speaks for itself alone.
      identity: { instance: crypto.randomUUID(), profile: context.profile, version: context.version, browser },
      defaultModel: () => context.settings.defaultModel,
      pool,
      activity,
      models: () => catalogue?.models() ?? null,
      status: () => ({
        lanes: lanes(),
        rate: rateByPlan[plan()],
        paused: context.paused,
        account: account.standing().hops,
      }),
      onLink(state) {
        link = changeFact(link, state, Date.now());
        if (link.state === 'connected') catalogue ??= openCatalogue();
        else told = unheard;
        changed();
      },
      onForgotten: changed,
      onBridgeStatus(status) {
        const isNewLooker = status.watched && !told.watched;
        told = status;
        if (isNewLooker) account.check();
        changed();
      },
      pendingSignIn: tabSignIn.pending,
      onToken({ state, token }) {
        const puter = tabSignIn.redeem(state);
        // Meanwhile another Puter may have been set, with a session of its own.
        if (puter && isOf(puter, context.settings)) keepSession({ token, ...puter });
      },
      // The account of that moment: its refusal says nothing about one that was signed in meanwhile.
      followCall: () => account.learn,
    });
  }

  /** Until Puter told which it is, the one that has least. */
  function plan(): Plan {
    return account.standing().plan ?? 'temporary';
  }

  function lanes(): number {
    const { lanes: chosen } = context.settings;
    return chosen === 'auto' ? lanesByPlan[plan()] : chosen;
  }

  /** A pause shows where there is something to pause. */
  const bridgeHop = (): HopFact<'bridge'> =>
    context.paused && link.state === 'connected' ? { ...link, state: 'paused', since: pausedSince } : link;

  const state = (): ExtensionState => ({
    version: context.version,
    settings: context.settings,
    hasSession: context.hasSession,
    paused: context.paused,
    hops: { bridge: bridgeHop(), ...account.standing().hops },
    running: activity.running(),
    held: relay.held(),
    awaitsSignIn: tabSignIn.pending() !== null,
    queued: link.state === 'connected' ? told.queued : null,
    durability: told.durability,
    finished: activity.finished(),
    allowance: account.standing().allowance,
    plan: account.standing().plan,
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
      const isSameSession = session?.token === oldSession?.token;
      const isSamePuter = settings.apiOrigin === old.apiOrigin && settings.guiOrigin === old.guiOrigin;
      if (!isSameSession || !isSamePuter) {
        account.close();
        account = openAccount();
        if (lookers > 0) account.look();
      }
      if (catalogue && settings.apiOrigin !== old.apiOrigin) {
        catalogue.close();
        catalogue = openCatalogue();
      }
      // A lane that ran a call still knows the old token.
      if (!isSameSession || !isSamePuter || lanes() < oldLanes) pool.renew();
      // An answer for the old Puter, or by way of the old bridge, is nobody's any more.
      if (!isSamePuter || settings.bridgeAddress !== old.bridgeAddress) tabSignIn.cancel();
      if (settings.bridgeAddress !== old.bridgeAddress) {
        relay.close();
        relay = openRelay();
      }
      relay.tellStatus();
      changed();
    },
    watch,
    look() {
      lookers += 1;
      account.look();
      return () => void (lookers -= 1);
    },
    stopCall: (requestId) => relay.stop(requestId),
    retry() {
      relay.retry();
      account.check();
    },
    pair: (code) => relay.pair(code),
    beginSignIn() {
      const { bridgeAddress } = context.settings;
      // The token comes back to that address.
      if (!isLoopback(bridgeAddress)) return { problem: 'sign_in_far_bridge' };
      const { state, url } = tabSignIn.begin(context.settings, `${bridgeAddress}/auth/callback`);
      if (relay.announceSignIn(state)) return { url };
      tabSignIn.cancel();
      return { problem: 'sign_in_no_bridge' };
    },
  };
}
