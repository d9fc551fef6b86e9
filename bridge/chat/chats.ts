import { createHash } from 'node:crypto';

import { finishOf, type ChatEvent, type ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';
import { createTransientMap } from '#shared/transient-map.ts';

import type { Source } from '../flow.ts';
import type { HangUp } from '../hang-up.ts';
import type { Results, StoredAnswer } from '../journal/results.ts';
import type { Submitter } from '../lifecycle/entry.ts';
import type { Calls, PreparedCall, RunningCall } from './calls.ts';
import { assemble, replay } from './collect.ts';
import { OpenChat, Reading } from './open-chat.ts';

/** Who asks, and how the request is to be treated. */
export interface Caller extends Submitter {
  /** Idempotency-Key: the same key is the same chat, and a hang-up does not end it. */
  key: string | null;
  /** How often the client has sent the request before, and now sends it again by itself. */
  repetition: number;
}

/** A chat on its way, or one that is over. */
export interface Chat {
  id: string;
  /** The answer in pieces, from the first. It fails with what the chat failed with. */
  read(): Source<ChatEvent>;
  /** The answer in one piece, as it is kept. Rejects with what it failed with. */
  whole(): Promise<StoredAnswer>;
  /** Ends it, where this is who began it or the last who waits for it. */
  stop(reason: BridgeError): void;
  /** It had its answer before. */
  isReplay: boolean;
  /** An extension was given its call. */
  wentOut(): boolean;
}

interface Begin {
  /** Ends the chat, unless it has a key or somebody else reads it, too; null where nobody waits for it. */
  hangUp: HangUp | null;
  caller: Caller;
  /** How many the body asks for, each a chat of its own; absent, one. */
  choices?: number;
}

/** Chats as dialects want them: each is one run, however often its caller asks for it, and its outcome is kept. */
export interface Chats {
  /** Begins a chat, or finds the one that the caller means. Rejects where nothing may be dispatched. */
  begin(request: ChatRequest, how: Begin): Promise<Chat>;
  /** Ends a chat that is on its way. False where none of that id is. */
  cancel(id: string, reason: BridgeError): boolean;
  isRunning(id: string): boolean;
  /** How many are on their way: an answer may still be looked at when its call is over. */
  running(): number;
}

export function createChats(options: {
  calls: Calls;
  results: Results;
  newId: () => string;
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
}): Chats {
  const { calls, results, newId, now } = options;
  const open = createTransientMap<OpenChat>();

  function start(call: PreparedCall, request: ChatRequest, { hangUp, caller, choices }: Begin): Chat {
    const { scope, key, repetition } = caller;
    if (hangUp?.reason && key === null) throw hangUp.reason;
    const id = newId();
    const startedAt = now();
    results.begin({ id, scope, key, fingerprint: key === null ? null : fingerprintOf(request, choices), request });
    const running = startOrFail();
    const chat = new OpenChat({ id, scope, key, request, choices, repetition }, running, {
      async ended(events) {
        const whole = assemble(events);
        const usage = whole.usage ?? (await running.estimateUsage(whole));
        const answer = { ...whole, usage, durationMs: Math.round(now() - startedAt) };
        open.delete(id);
        chat.outcome = { answer };
        results.succeed(id, answer);
        await results.settled();
        return finishOf(answer);
      },
      failed(error) {
        open.delete(id);
        chat.outcome = { error };
        results.fail(id, error);
        return results.settled();
      },
    });
    open.set(id, chat);
    if (key !== null || hangUp === null) void chat.run.finish();
    return new Reading(chat, { hangUp, hasBegunIt: true, wentOut });

    /** Dispatched at once, not when somebody begins to read. */
    function startOrFail(): RunningCall {
      try {
        return call.start(id, caller);
      } catch (error) {
        results.fail(id, error instanceof BridgeError ? error : new BridgeError('internal_error', 'It did not start.'));
        throw error;
      }
    }
  }

  const { wentOut } = results;
  const join = (chat: OpenChat, hangUp: HangUp | null) => new Reading(chat, { hangUp, hasBegunIt: false, wentOut });

  /** The chat of that key, running or over; undefined where it may run (anew). Throws where it must not. */
  function findByKey(request: ChatRequest, { hangUp, caller, choices }: Begin): Chat | undefined {
    const { scope, key, repetition } = caller;
    if (key === null) return undefined;
    const known = results.findByKey(scope, key);
    if (!known) return undefined;
    if (known.fingerprint !== fingerprintOf(request, choices)) throw reused();
    const { id, result } = known;
    switch (result.status) {
      case 'pending': {
        const running = open.get(id);
        if (running && repetition > 0) return join(running, hangUp);
        throw inProgress();
      }
      case 'success':
        return answered(id, result.answer, request);
      case 'error':
        if (!known.wentOut) return undefined;
        throw result.error;
    }
  }

  function answered(id: string, answer: StoredAnswer, request: ChatRequest): Chat {
    const whole = async () => {
      // It may have come in this very turn.
      await results.settled();
      return answer.isRaw ? { ...answer, ...(await calls.finish(request, answer)) } : answer;
    };
    return { id, read: () => replay(whole), whole, stop() {}, isReplay: true, wentOut: () => true };
  }

  /** The same request of the same caller, sent before and still on its way: for each that comes again, another one. */
  function findTwin(request: ChatRequest, { hangUp, caller, choices }: Begin): Chat | undefined {
    const { scope, key, repetition } = caller;
    if (repetition === 0 || key !== null) return undefined;
    const isOlder = (chat: OpenChat) => chat.scope === scope && chat.key === null && chat.repetition < repetition;
    const fingerprint = fingerprintOf(request, choices);
    const twin = [...open.values()]
      .filter(isOlder)
      .find((chat) => fingerprintOf(chat.request, chat.choices) === fingerprint);
    if (!twin) return undefined;
    twin.repetition = repetition;
    return join(twin, hangUp);
  }

  return {
    async begin(request, how) {
      const known = findByKey(request, how) ?? findTwin(request, how);
      if (known) return known;
      const call = await calls.prepare(request);
      // Meanwhile the same may have come again, and from here on nothing is waited for.
      return findByKey(request, how) ?? findTwin(request, how) ?? start(call, request, how);
    },
    cancel(id, reason) {
      const chat = open.get(id);
      chat?.stop(reason);
      return chat !== undefined;
    },
    isRunning: (id) => open.has(id),
    running: () => open.size,
  };
}

/** Of one choice alone it is the request's own, as journals have it from before choices were counted. */
const fingerprintOf = (request: ChatRequest, choices = 1): string =>
  createHash('sha256')
    .update(JSON.stringify(choices === 1 ? request : [request, choices]))
    .digest('base64url');

const reused = () =>
  new BridgeError('idempotency_key_reused', 'This Idempotency-Key was sent with another request. Use a new one.', {
    param: 'Idempotency-Key',
  });
const inProgress = () =>
  new BridgeError(
    'idempotency_in_progress',
    'The request of this Idempotency-Key is not over yet. Ask again in a moment.',
  );
