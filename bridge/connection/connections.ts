import { isDeepStrictEqual } from 'node:util';

import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import type { AccountState } from '#shared/hops.ts';
import {
  closeCodes,
  retryAfterReason,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';
import { versionMismatch } from '#shared/subprotocol.ts';

import { atMostEvery } from '../at-most-every.ts';
import type { SignIns } from '../auth/sign-ins.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Dispatcher } from '../lifecycle/dispatcher.ts';
import type { Peer } from '../lifecycle/peer.ts';
import type { Limits } from '../limits.ts';
import { createGate, type GateOptions } from '../pairing/gate.ts';
import { knockMs } from '../pairing/offers.ts';
import type { Pairing } from '../pairing/pairings.ts';
import { attend, closeSocket, type Receive } from './attend.ts';
import { createOutgoing, type Outgoing } from './outgoing.ts';
import { createReplacements } from './replacements.ts';
import { createSecrets, type Secrets } from './secrets.ts';

/** One extension that said hello, for as long as its socket lives. */
export interface Connection extends Peer {
  readonly browser: string;
  readonly version: string;
  readonly since: Date;
  /** Null while it takes requests. */
  pausedSince: Date | null;
  account: AccountState;
  lanes: number;
  rate: number;
}

export interface Connections {
  /** Takes over a socket whose upgrade was let through: that of an extension with this origin. */
  accept(socket: WebSocket, stream: Duplex, origin: string): void;
  list(): Connection[];
  /** How many sockets have not said hello yet. */
  readonly pending: number;
  /** When the last one went, or the bridge started; of no account while there is one. */
  readonly emptySince: Date;
  /** An extension of another version that knocks: what it is told, and since when; null while none does. */
  readonly outdated: { sentence: string; since: Date } | null;
  /** What the extensions are told of the bridge may have changed. */
  announce(): void;
  /** Closes whoever is not paired any more, and fails its calls. */
  dropUnpaired(): void;
  readonly secrets: Secrets;
  close(): void;
}

type Facts = Omit<Frame<FrameToExtension, 'status'>, 'type'>;

/** Requests come and go by the thousand, and a person reads what the popup says of them. */
const announceMs = 50;

export function createConnections(options: {
  dispatcher: Dispatcher;
  signIns: SignIns<Peer>;
  catalogue: Catalogue;
  version: string;
  limits: Limits;
  gate: GateOptions;
  /** Also the extension that is known by its id. */
  requirePairing: boolean;
  /** What the extensions are told of the bridge. */
  facts: () => Facts;
  onChange: () => void;
  /** Called before anything is sent to an extension that said hello. */
  beforeSend: () => void;
  onUnexpected: (error: unknown) => void;
}): Connections {
  const { dispatcher, signIns, catalogue, version, limits, requirePairing, facts } = options;
  const { onChange, beforeSend, onUnexpected } = options;
  const sockets = new Set<WebSocket>();
  const pending = new Set<WebSocket>();
  const paired = new WeakMap<Connection, Pairing>();
  const replacements = createReplacements(() => performance.now());
  const connections = new Map<Connection, { socket: WebSocket; outgoing: Outgoing }>();
  const told = new WeakMap<Connection, Facts>();
  let emptySince = new Date();
  let outdated: Connections['outdated'] = null;
  let silence: NodeJS.Timeout | undefined;
  const secrets = createSecrets();

  function accept(socket: WebSocket, stream: Duplex, origin: string): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Without a listener, a malformed frame (bad UTF-8, no mask, too large) would end the process; ws closes it itself.
    socket.on('error', () => {});

    const mismatch = versionMismatch([socket.protocol]);
    if (mismatch) {
      remember(mismatch);
      return closeSocket(socket, closeCodes.wrongVersion, mismatch);
    }

    pending.add(socket);
    let connection: Connection | null = null;
    attend(socket, {
      limits,
      gate: createGate({ ...options.gate, origin, mustPair: requirePairing || origin !== extensionOrigin }),
      onHello(hello, pairing) {
        pending.delete(socket);
        const greeted = welcome(socket, createOutgoing(socket, stream, beforeSend), hello);
        if (greeted === null) return null;
        connection = greeted;
        if (pairing) paired.set(greeted, pairing);
        return (frame) => receive(greeted, frame);
      },
      onEnd() {
        pending.delete(socket);
        if (connection) drop(connection);
      },
      onUnexpected,
    });
  }

  function remember(sentence: string): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      outdated = null;
      onChange();
    }, knockMs).unref();
    outdated = { sentence, since: outdated?.since ?? new Date() };
    onChange();
  }

  /** Null where the socket was closed instead. */
  function welcome(socket: WebSocket, outgoing: Outgoing, hello: Frame<FrameToBridge, 'hello'>): Connection | null {
    for (const [older, { socket: olderSocket }] of connections) {
      // A profile has one background page, so its older socket is dead or dying, whatever TCP still thinks.
      if (older.profile !== hello.profile) continue;
      const quarrel = older.instance === hello.instance ? null : replacements.ask(hello.profile);
      if (quarrel) {
        closeSocket(socket, closeCodes.tooOften, retryAfterReason(quarrel.retryAfterMs));
        return null;
      }
      drop(older);
      closeSocket(olderSocket, closeCodes.replaced, 'A newer connection of the same profile took over.');
    }
    clearTimeout(silence);
    outdated = null;
    const { instance, profile, lanes, rate, browser, account } = hello;
    const since = new Date();
    const connection: Connection = {
      instance,
      profile,
      lanes,
      rate,
      browser,
      version: hello.version,
      account,
      since,
      pausedSince: hello.paused ? since : null,
      get paused() {
        return connection.pausedSince !== null;
      },
      send: outgoing.send,
      sendNow: outgoing.sendNow,
    };
    connections.set(connection, { socket, outgoing });
    const resume = dispatcher.attach(connection, hello.requests);
    connection.send({ type: 'welcome', version, secret: secrets.issue(instance), resume });
    // Only now: a request must not overtake the welcome.
    dispatcher.pump();
    return connection;
  }

  function receive(connection: Connection, frame: Parameters<Receive>[0]): void {
    if (frame.type === 'sign_in') return signIns.begin(connection, frame.state);
    if (frame.type === 'models') return catalogue.learn(frame.models);
    if (frame.type !== 'status') return dispatcher.receive(connection, frame);
    connection.account = frame.account;
    connection.lanes = frame.lanes;
    connection.rate = frame.rate;
    connection.pausedSince = frame.paused ? (connection.pausedSince ?? new Date()) : null;
    dispatcher.pump();
    onChange();
  }

  const announce = atMostEvery(announceMs, () => {
    const now = facts();
    for (const connection of connections.keys()) {
      const last = told.get(connection);
      if (last && isDeepStrictEqual(last, now)) continue;
      told.set(connection, now);
      connection.send({ type: 'status', ...now });
    }
  });

  function drop(connection: Connection): void {
    if (!connections.delete(connection)) return;
    emptySince = new Date();
    signIns.forget(connection);
    dispatcher.detach(connection);
  }

  return {
    accept,
    list: () => [...connections.keys()],
    get pending() {
      return pending.size;
    },
    get emptySince() {
      return emptySince;
    },
    get outdated() {
      return outdated;
    },
    announce,
    dropUnpaired() {
      for (const [connection, { socket }] of connections) {
        const pairing = paired.get(connection);
        if (!pairing || options.gate.pairings.has(pairing.id)) continue;
        drop(connection);
        secrets.revoke(connection.instance);
        dispatcher.forsake(connection.profile);
        closeSocket(socket, closeCodes.unpaired, 'This extension was unpaired.');
      }
    },
    secrets,
    close() {
      clearTimeout(silence);
      for (const { outgoing } of connections.values()) outgoing.flush();
      for (const socket of sockets) closeSocket(socket, closeCodes.goingAway, 'The bridge stops.');
    },
  };
}
