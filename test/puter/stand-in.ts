import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import { authmePage, challengePage, redirectTarget, withToken } from './authme-page.ts';
import { createCallLog, type DriverCall } from './call-log.ts';
import { createDriver } from './driver-call.ts';
import { listedModels } from './model-list.ts';
import { refuse } from './refusals.ts';
import { sendJson, sendPage, sendPreflight, sendRefusal } from './replies.ts';
import { createSessions, tokenOf } from './sessions.ts';

export type { DriverCall } from './call-log.ts';

export interface StandInOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Answers calls that name no model. null: such calls are refused, as by a Puter without Claude. */
  defaultModel?: string | null;
  /** Calls at once, beyond which Puter answers 429. */
  concurrency?: number;
}

export interface StandIn {
  /** `http://127.0.0.1:PORT`, for API and GUI alike. */
  origin: string;
  apiOrigin: string;
  guiOrigin: string;
  /** The account every token belongs to. */
  username: string;
  /** The calls that reached a model, oldest first; their status is live. */
  calls: DriverCall[];
  /** The next call to arrive that the predicate accepts. */
  nextCall(accepts?: (call: DriverCall) => boolean): Promise<DriverCall>;
  /** A good token, as the authme page gives one. */
  mintToken(): string;
  /** From now on `token_auth_failed`. */
  revoke(token: string): void;
  /** From now on `reauth_required` for every token so far. */
  expireSession(): void;
  /** Changes what /whoami tells of the account, for example `{ is_temp: true }`. */
  setAccount(change: Record<string, unknown>): void;
  /** What is left of the month, in microcents; null: what the calls so far have left. */
  setRemaining(microcents: number | null): void;
  /** While true, the sign-in page is behind a check for robots, which answers 403 until somebody solves it. */
  setChallenge(challenge: boolean): void;
  /** While true, every connection is torn down: the running ones at once, new ones on arrival. */
  setOutage(outage: boolean): void;
  /** While true, new requests are taken and never answered, as by a network that loses every packet. */
  setSilence(silence: boolean): void;
  /** From now on, requests wait this many milliseconds for their answers, as on a slow line. */
  setLatency(ms: number): void;
  close(): Promise<void>;
}

const username = 'quiet_river_4711';

// The shape of `user` in a captured sign-up, and of Puter's source (util/userDetails); /whoami was not captured.
const whoami = {
  username,
  uuid: '4dfb0ac9-4deb-4f75-a4bc-e208b8c86f0f',
  email: 'river@example.org',
  email_confirmed: 1,
  requires_email_confirmation: 0,
  phone: null,
  requires_phone_verification: false,
  requires_card_verification: false,
  is_temp: false,
  taskbar_items: [],
};

// In microcents, of which 100,000,000 make a dollar.
const monthUsageAllowance = 25_000_000;
const costOfCall = 10_000;

/** A small server that speaks Puter's wire on loopback. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const { port = 0, defaultModel = 'echo', concurrency = Infinity } = options;
  const sessions = createSessions();
  const log = createCallLog();
  const answerCall = createDriver({ sessions, log, defaultModel, concurrency });
  let outage = false;
  let silence = false;
  let latency = 0;
  let challenge = false;
  let account: Record<string, unknown> = whoami;
  let remaining: number | null = null;

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://stand-in');
    if (silence) return undefined;
    if (latency > 0) await delay(latency);
    if (req.method === 'OPTIONS') return sendPreflight(req, res);
    switch (`${req.method} ${url.pathname}`) {
      case 'POST /drivers/call':
        return answerCall(req, res, tokenOf(req, url));
      case 'GET /puterai/chat/models':
        return sendJson(req, res, 200, { models: listedModels.map(({ id, puterId }) => puterId ?? id).sort() });
      case 'GET /puterai/chat/models/details':
        return sendJson(req, res, 200, { models: listedModels });
      case 'GET /whoami':
        return forAccount(req, res, url, account);
      case 'GET /metering/usage':
        return forAccount(req, res, url, usage());
      case 'POST /challenge/solved':
        challenge = false;
        return sendJson(req, res, 200, {});
      case 'GET /':
      case 'POST /authme/approve':
        return authme(req, res, url);
      default:
        return sendRefusal(req, res, refuse('not_found'));
    }
  }

  function forAccount(req: IncomingMessage, res: ServerResponse, url: URL, body: unknown): void {
    const refused = sessions.refusal(tokenOf(req, url));
    if (refused) sendRefusal(req, res, refused);
    else sendJson(req, res, 200, body);
  }

  /** Read in Puter's source (extensions/metering) and in puter.js (getMonthlyUsage), not captured. */
  function usage() {
    const count = log.calls.filter(({ status }) => status === 'finished').length;
    const total = count * costOfCall;
    return {
      usage: { 'ollama:echo:completion': { cost: total, count, units: count * 7 } },
      appTotals: {},
      allowanceInfo: {
        monthUsageAllowance,
        remaining: remaining ?? Math.max(0, monthUsageAllowance - total),
        addons: {},
      },
    };
  }

  function authme(req: IncomingMessage, res: ServerResponse, url: URL): void {
    if (url.searchParams.get('action') !== 'authme') return sendRefusal(req, res, refuse('not_found'));
    const target = redirectTarget(url);
    if (!(target instanceof URL)) return sendRefusal(req, res, target);
    if (challenge) return sendPage(req, res, challengePage(), 403);
    if (req.method === 'GET') return sendPage(req, res, authmePage(username, target));
    sendJson(req, res, 200, { location: withToken(target, sessions.mint()) });
  }

  const server = createServer((req, res) => {
    // A caller that hangs up while its body is read ends here; anything else is a mistake in the stand-in.
    respond(req, res).catch((error: unknown) => {
      if (!req.destroyed) console.error(error);
      res.destroy();
    });
  });
  server.on('connection', (socket) => {
    if (outage) socket.destroy();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The stand-in has no port.');
  const origin = `http://127.0.0.1:${address.port}`;

  return {
    origin,
    apiOrigin: origin,
    guiOrigin: origin,
    username,
    calls: log.calls,
    nextCall: log.next,
    mintToken: sessions.mint,
    revoke: sessions.revoke,
    expireSession: sessions.expire,
    setAccount: (change) => void (account = { ...account, ...change }),
    setRemaining: (microcents) => void (remaining = microcents),
    setChallenge: (on) => void (challenge = on),
    setSilence: (on) => void (silence = on),
    setLatency: (ms) => void (latency = ms),
    setOutage(on) {
      outage = on;
      if (on) server.closeAllConnections();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
