import { BridgeError } from '#shared/errors.ts';

import { onAbort } from '../on-abort.ts';
import type { StartTimer, Timer } from '../timers.ts';
import type { Chat } from './chats.ts';

/** Ends the chats of one request, all for the same reason: their time is over, their key was revoked, or one has failed. */
export class Ending {
  readonly #chats: Pick<Chat, 'stop'>[] = [];
  readonly #timer: Timer;
  readonly #stopFollowing: () => void;
  #reason: BridgeError | undefined;

  constructor(options: {
    startTimer: StartTimer;
    timeoutMs: number;
    timedOut: (ms: number) => BridgeError;
    revoked: AbortSignal | null;
  }) {
    const { startTimer, timeoutMs, timedOut, revoked } = options;
    this.#timer = startTimer(timeoutMs, () => this.end(timedOut(timeoutMs)));
    this.#stopFollowing = onAbort(revoked, (why) => this.end(why as BridgeError));
  }

  /** From now on, or at once where the reason is there already. */
  add(chat: Pick<Chat, 'stop'>): void {
    this.#chats.push(chat);
    if (this.#reason) chat.stop(this.#reason);
  }

  end(reason: BridgeError): void {
    this.#reason ??= reason;
    for (const chat of this.#chats) chat.stop(this.#reason);
  }

  /** Nothing is to be ended any more. */
  release(): void {
    this.#timer.stop();
    this.#stopFollowing();
  }
}

/** Of a caller, or a call, that names no time of its own. */
export const timedOut = (ms: number): BridgeError =>
  new BridgeError('timed_out', `No whole answer came within ${ms / 1000} seconds, so the call was cancelled.`);
