import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { onTestFinished, vi } from 'vitest';

import type { Failure } from '#shared/errors.ts';
import type { AccountState } from '#shared/hops.ts';

import { startAccount, type Account } from '../../../extension/puter/account.ts';

/** A Puter that answers what the test wants it to, over real HTTP, and a clock that only the test moves. */
export interface AccountRig {
  account: Account;
  /** What `/whoami` tells; changed in place. */
  user: Record<string, unknown>;
  /** What `/metering/usage` tells; changed in place. */
  allowance: { monthUsageAllowance: number; remaining: number; unit?: string };
  /** What comes instead: an answer, nothing ever, or a connection torn down. */
  trouble: { status: number; body: string } | 'silence' | 'outage' | null;
  isWatched: boolean;
  /** The paths asked so far, the moment they are asked. */
  asked: string[];
  /** The state at each `onChange`. */
  changes: AccountState[];
  /** Resolves once everything that was asked is answered and understood. */
  quiet(): Promise<void>;
  /** Moves the clock, and waits for the answers to what was asked meanwhile. */
  pass(ms: number): Promise<void>;
  /** `session`, `puter`: the two states in a word each. */
  states(): [session: string, puter: string];
}

export const startTime = Date.UTC(2026, 10, 24, 12);

export async function startAccountRig(options: { token?: string | null; isWatched?: boolean } = {}) {
  const { token = 'good' } = options;
  let { isWatched = false } = options;
  const asked: string[] = [];
  const changes: AccountState[] = [];
  const answers = new Set<Promise<unknown>>();
  const user = { username: 'ada', is_temp: false, email_confirmed: true, requires_email_confirmation: false };
  const allowance = { monthUsageAllowance: 25_000_000, remaining: 20_000_000 };

  const server = createServer((request, response) => {
    const { trouble } = rig;
    if (trouble === 'silence') return;
    if (trouble === 'outage') return void request.destroy();
    if (trouble) return void response.writeHead(trouble.status).end(trouble.body);
    if (request.headers.authorization !== 'Bearer good') return reply(response, 401, { code: 'token_auth_failed' });
    if (request.url === '/whoami') return reply(response, 200, user);
    if (request.url === '/metering/usage') return reply(response, 200, { usage: {}, allowanceInfo: allowance });
    reply(response, 404, { code: 'not_found' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const apiOrigin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: startTime });
  const reallyFetch = globalThis.fetch;
  // The answer is handed over whole, so that what follows from it has happened a turn later.
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    asked.push(new URL(String(input instanceof Request ? input.url : input)).pathname);
    const answer = reallyFetch(input, init).then(
      async (response) => new Response(await response.text(), { status: response.status }),
    );
    answers.add(answer);
    void answer.catch(() => {}).finally(() => answers.delete(answer));
    return answer;
  });

  const rig: AccountRig = {
    user,
    allowance,
    trouble: null,
    get isWatched() {
      return isWatched;
    },
    set isWatched(value) {
      isWatched = value;
    },
    asked,
    changes,
    account: startAccount({
      session: token === null ? null : { token, apiOrigin },
      isWatched: () => isWatched,
      now: Date.now,
      onChange: () => changes.push(rig.account.standing().hops),
    }),
    async quiet() {
      while (answers.size > 0) {
        await Promise.allSettled(answers);
        // One answer may lead to the next question.
        await nextTurn();
      }
      await nextTurn();
    },
    async pass(ms) {
      await vi.advanceTimersByTimeAsync(ms);
      await rig.quiet();
    },
    states: () => [rig.account.standing().hops.session.state, rig.account.standing().hops.puter.state],
  };
  onTestFinished(async () => {
    rig.account.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return rig;
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/** A refusal as `toFailure` makes it of what Puter said. */
export const refusal = (code: string, message = `Puter says ${code}.`): Failure => ({
  code: 'upstream_failed',
  message: `Puter refused the call: ${message}`,
  upstream: { code, message },
});

export const expired: Failure = { code: 'puter_session_expired', message: 'Sign in again.' };
/** A call that did not reach Puter. */
export const unreached: Failure = { code: 'upstream_failed', message: 'Puter could not be reached.' };
