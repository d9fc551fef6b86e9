import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { v7 as uuid } from 'uuid';

import { BridgeError } from '#shared/errors.ts';

import { createAudience, type Audience } from './audience.ts';
import { createAuthRoutes } from './auth/routes.ts';
import { createSignIns } from './auth/sign-ins.ts';
import { startCatalogue } from './catalogue/catalogue.ts';
import { withSuggestions } from './catalogue/with-suggestions.ts';
import type { Config } from './config.ts';
import { createConnections, type Connections } from './connection/connections.ts';
import { createDeliverRoute } from './connection/deliver.ts';
import { handleUpgrades, isUpgrade } from './connection/upgrade.ts';
import { createChats } from './chat/chats.ts';
import { createTokenCounter } from './chat/token-counter.ts';
import { createCompletionsRoutes } from './dialects/openai/completions/completions.ts';
import { createModelRoutes } from './dialects/openai/models.ts';
import { createOpenaiRoutes } from './dialects/openai/routes.ts';
import { createChatCompletionsRoutes } from './dialects/openai/chat-completions/chat-completions.ts';
import { createProcessRoutes } from './dialects/process/process.ts';
import { createApp } from './http/app.ts';
import { toBridgeError } from './http/reply.ts';
import { createHttpServer } from './http/server.ts';
import { createDispatcher, type Dispatcher } from './lifecycle/dispatcher.ts';
import type { Peer } from './lifecycle/peer.ts';
import { createResults } from './lifecycle/results.ts';
import { createPageRoutes } from './page/routes.ts';
import { createStatusHub, type StatusHub } from './status.ts';
import { readVersion } from './version.ts';

export interface Bridge {
  /** Where it listens, for example `http://127.0.0.1:5001`. */
  url: string;
  status: StatusHub;
  /** Fails what is still open, says goodbye to the extensions and frees the port. */
  close(): Promise<void>;
}

const now = () => performance.now();

/** Composes the whole bridge and listens on 127.0.0.1. Rejects with Node's error where the port cannot be had. */
export async function startBridge(
  config: Config,
  options: { onUnexpected: (error: unknown) => void },
): Promise<Bridge> {
  const version = readVersion();
  const status: StatusHub = createStatusHub({
    version,
    now,
    sources: () => ({
      connections: connections.list(),
      emptySince: connections.emptySince,
      outdated: connections.outdated,
      busyLanes: dispatcher.busyLanes,
      queue: dispatcher.counts(),
    }),
  });
  const onChange = () => {
    status.changed();
    connections.announce();
  };
  const catalogue = startCatalogue({ folder: config.stateDir, ...options });
  const dispatcher: Dispatcher = createDispatcher({
    ...config,
    newRequestId: uuid,
    explain: (failure, { model }) => withSuggestions(failure, catalogue, model),
    onChange,
  });
  const audience: Audience = createAudience({ onChange: () => connections.announce() });
  const signIns = createSignIns<Peer>({ now });
  const connections: Connections = createConnections({
    dispatcher,
    signIns,
    catalogue,
    version,
    limits: config.limits,
    facts: () => ({ queued: dispatcher.counts().queued, watched: audience.watched() }),
    onChange,
  });
  const results = createResults({
    ttlMs: 24 * 60 * 60 * 1000,
    maxChars: 100 * 1024 * 1024,
    now,
    toError: toBridgeError,
  });

  const counter = createTokenCounter();
  const chats = createChats({ dispatcher, counter, inputsOf: (model) => catalogue.find(model)?.inputs ?? null });

  const app = createApp(
    [
      ...createProcessRoutes({ chats, results, now }),
      ...createOpenaiRoutes(
        [
          ...createChatCompletionsRoutes({ chats, now: Date.now }),
          ...createCompletionsRoutes({ chats, now: Date.now }),
          ...createModelRoutes({ catalogue, hasExtension: () => connections.list().length > 0 }),
        ],
        { newRequestId: uuid },
      ),
      createDeliverRoute({ dispatcher, results, secrets: connections.secrets }),
      ...createAuthRoutes(signIns),
      ...createPageRoutes({ status, audience }),
    ],
    { ...options, limits: config.limits, allowedOrigins: config.allowedOrigins },
  );
  const server = createHttpServer(app, config.limits, isUpgrade);
  handleUpgrades(server, connections, config.limits);
  await listen(server, config.port);
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    status,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      dispatcher.abandon(
        new BridgeError('shutting_down', 'The bridge is shutting down. Start it again and send the request anew.'),
      );
      connections.close();
      await counter.close();
      // Lets the failures above be written before idle and streaming sockets are cut.
      await new Promise((resolve) => setImmediate(resolve));
      setTimeout(() => server.closeAllConnections(), 200).unref();
      server.closeIdleConnections();
      await closed;
      // Last: by now no extension can tell of another list.
      await catalogue.close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
