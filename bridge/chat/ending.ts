import type { BridgeError } from '#shared/errors.ts';

import { after } from '../after.ts';
import { onAbort } from '../on-abort.ts';
import type { Chat } from './chats.ts';

/** Ends the chats of one request, all for the same reason: their time is over, their key was revoked, or one has failed. */
export interface Ending {
  /** From now on, or at once where the reason is there already. */
  add(chat: Pick<Chat, 'stop'>): void;
  end(reason: BridgeError): void;
  /** Nothing is to be ended any more. */
  release(): void;
}

export function createEnding(options: {
  timeoutMs: number;
  timedOut: (ms: number) => BridgeError;
  revoked: AbortSignal | null;
}): Ending {
  const { timeoutMs, timedOut, revoked } = options;
  const chats: Pick<Chat, 'stop'>[] = [];
  let reason: BridgeError | undefined;
  const stopTimer = after(timeoutMs, () => end(timedOut(timeoutMs)));
  const stopFollowing = onAbort(revoked, (why) => end(why as BridgeError));

  function end(why: BridgeError): void {
    reason ??= why;
    for (const chat of chats) chat.stop(reason);
  }

  return {
    add(chat) {
      chats.push(chat);
      if (reason) chat.stop(reason);
    },
    end,
    release() {
      stopTimer();
      stopFollowing();
    },
  };
}
