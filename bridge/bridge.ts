import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';

import { createAudience, type Audience } from './audience.ts';
import { createSignIns } from './auth/sign-ins.ts';
import { startCatalogue } from './catalogue/catalogue.ts';
import { withSuggestions } from './catalogue/with-suggestions.ts';
import { defaults, type Config } from './config.ts';
import { createConnections, type Connections } from './connection/connections.ts';
import { keepBack } from './connection/keep-back.ts';
import { handleUpgrades, isUpgrade } from './connection/upgrade.ts';
import { createCalls } from './chat/calls.ts';
import { createChats, type Chats } from './chat/chats.ts';
import { createSchemas } from './chat/schemas.ts';
import { createTokenCounter } from './chat/token-counter.ts';
import { createDrain, shutDown, shuttingDown, type Drain } from './drain.ts';
import { checkBind, nameOf, urlOf } from './hosts.ts';
import { createApp } from './http/app.ts';
import { createDoor, type Door } from './http/door.ts';
import { countExchanges } from './http/on-exchange.ts';
import type { Route } from './http/route.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { createKeyCheck } from './keys/key-check.ts';
import { openKeyRing, type KeyRing } from './keys/key-ring.ts';
import { keysFile } from './keys/keys.ts';
import { createDispatcher, type Dispatcher } from './lifecycle/dispatcher.ts';
import { openJournal } from './journal/journal.ts';
import { recover } from './journal/recover.ts';
import { createResults } from './journal/results.ts';
import type { Peer } from './lifecycle/peer.ts';
import { logAnswers } from './log/answers.ts';
import { noLog, type Log } from './log/log.ts';
import { newId } from './new-id.ts';
import { createOffers, type PairingView } from './pairing/offers.ts';
import { openPairings, pairingsFile } from './pairing/pairings.ts';
import { tellOfPairing } from './pairing/tell-of-pairing.ts';
import { createRoutes } from './routes.ts';
import { createStatusHub, durabilityOf, type StatusHub } from './status.ts';
import { readVersion } from './version.ts';
import { watchFiles } from './watch-files.ts';

export interface Bridge {
  /** Where it listens, for example `http://127.0.0.1:5001`. */
  url: string;
  status: StatusHub;
  /** What it serves. */
  routes: readonly Pick<Route, 'method' | 'path'>[];
  /** Callers need a key. */
  readonly isLocked: boolean;
  /** Turns away whatever is new or still waits; resolves once nothing runs any more, or after the config's `drainMs`. */
  drain(): Promise<void>;
  /** Who asks to be paired, and the code that does it. Not part of the status, which web pages may be let read. */
  pairing(): PairingView | null;
  /** Fails what is still open, says goodbye to the extensions and frees the port. */
  close(): Promise<void>;
}

const now = () => performance.now();

/**
 * Composes the whole bridge and listens. Rejects with Node's error where the port cannot be had, with `SetupError` or
 * `InsecureFolderError` where it would not be safe.
 */
export async function startBridge(
  config: Config,
  options: { onUnexpected: (error: unknown) => void; log?: Log },
): Promise<Bridge> {
  const { log = noLog, onUnexpected } = options;
  const ring = openKeyRing(config.stateDir, {
    onTrouble: (err) => log.error({ err }, 'the keys cannot be followed'),
  });
  const http = createHttpServer(config.limits, isUpgrade);
  const door = createDoor(http, config);
  try {
    checkBind(config, ring);
    // First of all, so that a port that is taken is what a second bridge hears of.
    await door.open();
    return compose(http, config, { onUnexpected, log, ring, door });
  } catch (error) {
    void door.close();
    throw error;
  }
}

/** All at once: between listening and being able to answer, no request can come. */
function compose(
  { server, serve }: HttpServer,
  config: Config,
  options: { onUnexpected: (error: unknown) => void; log: Log; ring: KeyRing; door: Door },
): Bridge {
  const { log, ring, door, onUnexpected } = options;
  const version = readVersion();
  const { port } = server.address() as AddressInfo;
  const url = urlOf({ host: config.host, port });
  const status: StatusHub = createStatusHub({
    version,
    now,
    sources: () => ({
      connections: connections.list(),
      emptySince: connections.emptySince,
      outdated: connections.outdated,
      knocking: offers.view(),
      busyLanes: dispatcher.busyLanes,
      queue: dispatcher.counts(),
      journal: journal.condition,
    }),
  });
  const onChange = () => {
    status.changed();
    connections.announce();
    drain.changed();
  };
  const onGone = () => connections.dropUnpaired();
  const pairings = openPairings({ folder: config.stateDir, now: Date.now, onTrouble: onUnexpected, onGone });
  const journal = openJournal({
    folder: config.stateDir,
    // Where no words are kept, it is kept all the same that a key had its answer.
    ttlMs: config.keepMs || defaults.keepMs,
    maxKeptBytes: config.keepBytes,
    maxFileBytes: config.keepBytes + config.limits.maxJournalBytes,
    now: Date.now,
    onTrouble(error) {
      onUnexpected(error);
      // What is told does not exist yet while the journal is opened.
      queueMicrotask(onChange);
    },
  });
  const results = createResults({
    journal,
    keepsAnswers: config.keepMs > 0,
    keepsHistory: config.keepsHistory,
    isRunning: (id) => chats.isRunning(id),
    onRecorded(id) {
      dispatcher.recorded(id);
      drain.changed();
    },
    now: Date.now,
  });
  const counter = createTokenCounter();
  const schemas = createSchemas();
  const catalogue = startCatalogue({ folder: config.stateDir, onUnexpected });
  const dispatcher: Dispatcher = createDispatcher({
    ...config,
    limits: config,
    now,
    journal: {
      dispatched: journal.dispatched,
      requeued: journal.requeued,
      recall: (id) => recovery.recall(id),
    },
    explain: (failure, { model }) =>
      withSuggestions(tellOfPairing(keepBack(failure, log), offers.view() !== null), catalogue, model),
    onChange,
  });
  const exchanges = countExchanges(server, () => drain.changed());
  const drain: Drain = createDrain({ isIdle: () => exchanges() + chats.running() + dispatcher.counts().running === 0 });
  const audience: Audience = createAudience({ onChange: () => connections.announce() });
  const signIns = createSignIns<Peer>({ now });
  const offers = createOffers({ now, random: randomBytes, isWatched: audience.watched, onChange });
  const connections: Connections = createConnections({
    dispatcher,
    signIns,
    catalogue,
    version,
    limits: config.limits,
    gate: { pairings, offers, host: new URL(url).host, random: randomBytes },
    requirePairing: config.requirePairing,
    // What goes out is on disk first.
    beforeSend: journal.flush,
    facts: () => ({
      queued: dispatcher.counts().queued,
      watched: audience.watched(),
      durability: durabilityOf(journal.condition),
    }),
    onChange,
    ...options,
  });
  const stopWatching = watchFiles(config.stateDir, [keysFile, pairingsFile], () => {
    ring.refresh();
    connections.dropUnpaired();
  });
  const recovery = recover({ ...config, journal, dispatcher, results });
  const calls = createCalls({
    dispatcher,
    counter,
    schemas,
    inputsOf: (model) => catalogue.find(model)?.inputs ?? null,
    newId,
  });
  const chats: Chats = createChats({ calls, results, newId, now });

  const routes = createRoutes({
    ...config,
    chats,
    results,
    journal,
    recovery,
    catalogue,
    connections,
    dispatcher,
    signIns,
    status,
    audience,
    stopping: drain.begun,
    locked: ring.locked,
    pairing: offers.view,
  });
  // An address that was named is no more than what a caller dials.
  const allowedHosts = [...new Set([nameOf(config.host), ...config.allowedHosts])];
  const checkKey = createKeyCheck(ring, { now });
  const guards = { ...config, isPaired: pairings.hasOrigin, allowedHosts, checkKey, closing: drain.closing };
  const app = createApp(routes, { onUnexpected, ...guards });
  serve(app);
  const stopLogging = logAnswers(server, log, { now });
  handleUpgrades(server, connections, guards);

  return {
    url,
    status,
    pairing: offers.view,
    routes,
    get isLocked() {
      return ring.isLocked;
    },
    drain() {
      const drained = drain.begin(config.drainMs);
      dispatcher.abandon(shuttingDown(), 'queued');
      return drained;
    },
    async close() {
      const closed = door.close();
      dispatcher.abandon(shuttingDown(), 'queued');
      dispatcher.abandon(shutDown());
      connections.close();
      stopWatching();
      offers.close();
      await Promise.all([counter.close(), schemas.close()]);
      // Lets the failures above be written before idle and streaming sockets are cut.
      await new Promise((resolve) => setImmediate(resolve));
      setTimeout(() => server.closeAllConnections(), 200).unref();
      server.closeIdleConnections();
      await closed;
      // Last: by now no extension can tell of another list, or of another answer.
      await catalogue.close();
      journal.close();
      stopLogging();
    },
  };
}
