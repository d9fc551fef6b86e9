import type { Audience } from './audience.ts';
import { createAuthRoutes } from './auth/routes.ts';
import type { SignIns } from './auth/sign-ins.ts';
import type { Catalogue } from './catalogue/catalogue.ts';
import type { Chats } from './chat/chats.ts';
import type { Connections } from './connection/connections.ts';
import { createDeliverRoute } from './connection/deliver.ts';
import { createChatCompletionsRoutes } from './dialects/openai/chat-completions/chat-completions.ts';
import { createCompletionsRoutes } from './dialects/openai/completions/completions.ts';
import { createModelRoutes } from './dialects/openai/models.ts';
import { createOpenaiRoutes } from './dialects/openai/routes.ts';
import { createProcessRoutes } from './dialects/process/process.ts';
import type { Route } from './http/route.ts';
import type { Journal } from './journal/journal.ts';
import type { Recovery } from './journal/recover.ts';
import type { Results } from './journal/results.ts';
import type { Dispatcher } from './lifecycle/dispatcher.ts';
import type { Peer } from './lifecycle/peer.ts';
import { newId } from './new-id.ts';
import { createPageRoutes } from './page/routes.ts';
import type { PairingView } from './pairing/offers.ts';
import { createRequestRoutes } from './requests/routes.ts';
import type { StatusHub } from './status.ts';
import { createTimers } from './timers.ts';

/** All that the bridge serves over HTTP: what is asked most comes first, since each request looks through them. */
export function createRoutes(parts: {
  chats: Chats;
  deadlineMs: number;
  results: Results;
  journal: Journal;
  recovery: Recovery;
  catalogue: Catalogue;
  connections: Connections;
  dispatcher: Dispatcher;
  signIns: SignIns<Peer>;
  status: StatusHub;
  audience: Audience;
  stopping: AbortSignal;
  locked: AbortSignal;
  pairing: () => PairingView | null;
}): Route[] {
  const { connections, signIns } = parts;
  const means = { ...parts, startTimer: createTimers() };
  return [
    ...createProcessRoutes(means),
    ...createOpenaiRoutes(
      [
        ...createChatCompletionsRoutes(means),
        ...createCompletionsRoutes(means),
        ...createModelRoutes({ ...parts, hasExtension: () => connections.list().length > 0 }),
      ],
      { newRequestId: newId },
    ),
    ...createRequestRoutes(parts),
    createDeliverRoute({ ...parts, secrets: connections.secrets }),
    ...createAuthRoutes(signIns),
    ...createPageRoutes(parts),
  ];
}
