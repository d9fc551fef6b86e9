import type { ChatEvent, ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Dispatcher } from '../lifecycle/dispatcher.ts';
import { createCheck, type Check } from './check.ts';
import { collect, tell, type WholeAnswer } from './collect.ts';
import { refuseForeignParts, type InputsOf } from './parts.ts';
import { prepare } from './prepare.ts';
import { cutAtStop, endAtStop } from './stop.ts';
import type { TokenCounter } from './token-counter.ts';
import { addUsage, countUsage } from './usage.ts';

/** A chat on its way: parts as they come, then one `finish`; the iteration throws what the chat failed with. */
export interface Chat {
  /** Of its first call. */
  requestId: string;
  events: AsyncIterable<ChatEvent>;
}

/**
 * Chats as dialects want them, from calls as Puter takes them: what its driver does not carry is done here, for every
 * dialect alike.
 */
export interface Chats {
  /**
   * Begins a chat. Rejects with `invalid_request` before anything is dispatched. Aborting `signal` ends it wherever it
   * is. Most chats are one call; one whose answer is not what was asked for (no JSON, no tool called) is asked once more.
   */
  begin(request: ChatRequest, signal: AbortSignal, caller: string | null): Promise<Chat>;
}

export function createChats(options: {
  dispatcher: Dispatcher;
  counter: TokenCounter;
  /** What a model takes beside text; null where nobody knows. */
  inputsOf: InputsOf;
}): Chats {
  const { dispatcher, counter, inputsOf } = options;

  return {
    async begin(request, signal, caller) {
      refuseForeignParts(request, inputsOf);
      const { stops = [], ...asked } = prepare(request);
      const check = await createCheck(request);
      if (!check) return call(asked, stops);
      const first = call(asked);
      return { requestId: first.requestId, events: answerAsked(first.events, asked, check) };

      /** One call, its text ended at the first of `until`. */
      function call(chat: ChatRequest, until: readonly string[] = []): Chat {
        const stop = new AbortController();
        const { requestId, events } = dispatcher.submit(chat, AbortSignal.any([signal, stop.signal]), caller);
        const cancel = () => stop.abort(new BridgeError('cancelled', 'The text ended at a stop.'));
        const cut = until.length === 0 ? events : endAtStop(events, until, cancel);
        const single = chat.parallelToolCalls === false ? keepFirstCall(cut) : cut;
        return { requestId, events: countUsage(single, chat, counter) };
      }

      /** An answer is looked at whole, and ended at a stop after that: one in the words around the JSON is none. */
      async function* answerAsked(events: AsyncIterable<ChatEvent>, chat: ChatRequest, check: Check) {
        const answer = await collect(events);
        const verdict = check.judge(answer);
        if ('answer' in verdict) return yield* tell(cutAtStop(verdict.answer, stops));
        const again = await collect(call(askAgain(chat, answer, verdict.problem)).events);
        const second = { ...again, usage: addUsage(answer.usage, again.usage) };
        const judged = check.judge(second);
        const settled = 'answer' in judged ? judged.answer : check.settle(second, judged.problem);
        yield* tell(cutAtStop(settled, stops));
      }
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
async function* keepFirstCall(events: AsyncIterable<ChatEvent>): AsyncGenerator<ChatEvent> {
  let hasCall = false;
  for await (const event of events) {
    if (event.type === 'tool_call' && hasCall) continue;
    hasCall ||= event.type === 'tool_call';
    yield event;
  }
}
