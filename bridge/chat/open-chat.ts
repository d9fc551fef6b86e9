import type { ChatEvent, ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Source } from '../flow.ts';
import type { HangUp } from '../hang-up.ts';
import type { StoredAnswer } from '../journal/results.ts';
import type { RunningCall } from './calls.ts';
import type { Chat } from './chats.ts';
import { Run, type RunOver } from './run.ts';

/** A chat on its way, whoever reads it. */
export class OpenChat {
  readonly id: string;
  readonly scope: string;
  readonly key: string | null;
  readonly request: ChatRequest;
  /** How many its body asked for, this one among them, where that was told. */
  readonly choices: number | undefined;
  readonly run: Run;
  /** How often the client had sent it before: whoever came last. */
  repetition: number;
  /** Callers that still wait. */
  readers = 0;
  /** What it came to, once it is over. */
  outcome: { answer: StoredAnswer } | { error: BridgeError } | null = null;
  readonly #call: RunningCall;

  constructor(
    chat: Pick<OpenChat, 'id' | 'scope' | 'key' | 'request' | 'choices' | 'repetition'>,
    call: RunningCall,
    onOver: RunOver,
  ) {
    this.id = chat.id;
    this.scope = chat.scope;
    this.key = chat.key;
    this.request = chat.request;
    this.choices = chat.choices;
    this.repetition = chat.repetition;
    this.run = new Run(call.events, onOver);
    this.#call = call;
  }

  stop(reason: BridgeError): void {
    this.#call.stop(reason);
    // What nobody reads any more comes to its end all the same.
    void this.run.finish();
  }

  async whole(): Promise<StoredAnswer> {
    await this.run.finish();
    const { outcome } = this;
    if (outcome && 'answer' in outcome) return outcome.answer;
    throw outcome?.error ?? new BridgeError('internal_error', 'The answer ended without an end. Please report this.');
  }
}

/** One caller of an open chat, for as long as it is there. Who began it ends it by `stop` for all; whoever joined leaves. */
export class Reading implements Chat {
  readonly id: string;
  readonly isReplay = false;
  readonly #chat: OpenChat;
  readonly #hasBegunIt: boolean;
  readonly #wentOut: (id: string) => boolean;
  #hasLeft = false;

  constructor(chat: OpenChat, how: { hangUp: HangUp | null; hasBegunIt: boolean; wentOut: (id: string) => boolean }) {
    const { hangUp, hasBegunIt, wentOut } = how;
    this.id = chat.id;
    this.#chat = chat;
    this.#hasBegunIt = hasBegunIt;
    this.#wentOut = wentOut;
    chat.readers += 1;
    if (hangUp?.reason) this.#leave(hangUp.reason);
    else hangUp?.on((reason) => this.#leave(reason));
  }

  read(): Source<ChatEvent> {
    return this.#chat.run.read();
  }

  whole(): Promise<StoredAnswer> {
    return this.#chat.whole();
  }

  stop(reason: BridgeError): void {
    if (this.#hasBegunIt) this.#chat.stop(reason);
    else this.#leave(reason);
  }

  wentOut(): boolean {
    return this.#wentOut(this.id);
  }

  #leave(reason: BridgeError): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const chat = this.#chat;
    chat.readers -= 1;
    if (chat.readers === 0 && chat.key === null) chat.stop(reason);
  }
}
