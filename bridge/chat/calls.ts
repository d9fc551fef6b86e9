import type { ChatEvent, ChatRequest, Usage } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { through, type Source } from '../flow.ts';
import type { Dispatcher } from '../lifecycle/dispatcher.ts';
import type { Submitter } from '../lifecycle/entry.ts';
import { onceBegun } from '../lifecycle/never-started.ts';
import { createCheck, type Check } from './check.ts';
import { collect, replay, type WholeAnswer } from './collect.ts';
import { refuseForeignParts, type InputsOf } from './parts.ts';
import { prepare } from './prepare.ts';
import type { Schemas } from './schemas.ts';
import { cutAtStop, endAtStop } from './stop.ts';
import type { TokenCounter } from './token-counter.ts';
import { addUsage, estimateUsage } from './usage.ts';

/**
 * Calls as Puter takes them, for chats as dialects want them: what its driver does not carry is done here, for every
 * dialect alike. Most chats are one call; one whose answer is not what was asked for (no JSON, no tool called) is asked
 * once more.
 */
export interface Calls {
  /** Rejects with `invalid_request` where the request cannot be fulfilled; nothing was dispatched then. */
  prepare(request: ChatRequest): Promise<PreparedCall>;
  /**
   * What becomes of an answer that came after a restart, when nobody knew what it had been asked for. Rejects with
   * `unusable_answer` where it is not that: nobody is asked once more.
   */
  finish(request: ChatRequest, answer: WholeAnswer): Promise<WholeAnswer>;
}

export interface PreparedCall {
  start(id: string, submitter: Submitter): RunningCall;
}

export interface RunningCall {
  /** Parts as they come, then one `finish`; it fails with what the call failed with. */
  events: Source<ChatEvent>;
  /** What the answer used that they make up, where Puter does not tell. */
  estimateUsage(answer: WholeAnswer): Promise<Usage>;
  /** Ends it wherever it is; `reason` is what it fails with then. */
  stop(reason: BridgeError): void;
}

export function createCalls(options: {
  dispatcher: Dispatcher;
  counter: TokenCounter;
  schemas: Schemas;
  /** What a model takes beside text; null where nobody knows. */
  inputsOf: InputsOf;
  newId: () => string;
}): Calls {
  const { dispatcher, counter, schemas, inputsOf, newId } = options;

  const withUsage = async (answer: WholeAnswer, chat: ChatRequest): Promise<WholeAnswer> => ({
    ...answer,
    usage: answer.usage ?? (await estimateUsage(answer, chat, counter)),
  });

  return {
    async prepare(request) {
      refuseForeignParts(request, inputsOf);
      const { stops = [], ...asked } = prepare(request);
      const check = await createCheck(request, schemas);
      return {
        start(id, submitter) {
          let running = id;
          let stopped: BridgeError | undefined;
          const first = call(id, asked, check ? [] : stops);
          return {
            events: check ? replay(() => answerAsked(first, check)) : first,
            estimateUsage: (answer) => estimateUsage(answer, asked, counter),
            stop(reason) {
              stopped ??= reason;
              dispatcher.cancel(running, stopped);
            },
          };

          /** One call, its text ended at the first of `until`. */
          function call(requestId: string, chat: ChatRequest, until: readonly string[] = []): Source<ChatEvent> {
            const events = keepAskedCalls(dispatcher.submit(chat, { requestId, submitter }), chat);
            return until.length === 0 ? events : endAtStop(events, until);
          }

          /** An answer is looked at whole, and ended at a stop after that: one in the words around the JSON is none. */
          async function answerAsked(events: Source<ChatEvent>, { judge, settle }: Check): Promise<WholeAnswer> {
            const answer = await withUsage(await collect(events), asked);
            const verdict = await judge(answer);
            if ('answer' in verdict) return cutAtStop(verdict.answer, stops);
            if (stopped) throw stopped;
            const secondId = (running = newId());
            const chat = askAgain(asked, answer, verdict.problem);
            const again = await secondCall(secondId, chat);
            const second = { ...again, usage: addUsage(answer.usage, again.usage) };
            const judged = await judge(second);
            const settled = 'answer' in judged ? judged.answer : settle(second, judged.problem);
            return cutAtStop(settled, stops);
          }

          async function secondCall(secondId: string, chat: ChatRequest): Promise<WholeAnswer> {
            try {
              return await withUsage(await collect(call(secondId, chat)), chat);
            } catch (error) {
              // The first call was made, whatever became of this one, and whether it found a place to wait at all.
              throw error instanceof BridgeError ? BridgeError.from(onceBegun(error.failure)) : error;
            } finally {
              // It is part of this chat, and recorded with it or not at all.
              dispatcher.recorded(secondId);
            }
          }
        },
      };
    },

    async finish(request, answer) {
      const { stops = [], ...asked } = prepare(request);
      const check = await createCheck(request, schemas);
      const kept = await collect(
        keepAskedCalls(
          replay(async () => answer),
          asked,
        ),
      );
      const whole = await withUsage(kept, asked);
      const verdict = check ? await check.judge(whole) : { answer: whole };
      if ('answer' in verdict) return cutAtStop(verdict.answer, stops);
      return cutAtStop(check?.settle(whole, verdict.problem) ?? whole, stops);
    },
  };
}

/** The same chat, with the answer that could not be used and what is wrong with it. */
const askAgain = (chat: ChatRequest, { text }: WholeAnswer, problem: string): ChatRequest => ({
  ...chat,
  messages: [
    ...chat.messages,
    ...(text.trim() === '' ? [] : [{ role: 'assistant' as const, content: text }]),
    { role: 'user', content: `Your answer cannot be used: ${problem}. Answer again, exactly as asked at first.` },
  ],
});

/** Puter may let a model call several tools although the caller wants one at a time. */
const keepAskedCalls = (source: Source<ChatEvent>, { parallelToolCalls }: ChatRequest): Source<ChatEvent> =>
  parallelToolCalls === false ? keepFirstCall(source) : source;

const keepFirstCall = (source: Source<ChatEvent>): Source<ChatEvent> =>
  through(source, (sink) => {
    let hasCall = false;
    return {
      write(event) {
        if (event.type === 'tool_call' && hasCall) return true;
        hasCall ||= event.type === 'tool_call';
        return sink.write(event);
      },
    };
  });
