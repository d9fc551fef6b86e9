import type { Failure } from '#shared/errors.ts';
import { findHindrance, takesRequests } from '#shared/hindrance.ts';

import type { Entry } from './entry.ts';
import type { Peer } from './peer.ts';
import type { Slots } from './slots.ts';
import type { Waiting } from './waiting.ts';

/** The extensions that take requests, as long as they have a free lane and Puter's rate allows it. */
export interface Takers {
  /** Who should take the next one; undefined where nobody can at once. */
  choose(): Peer | undefined;
  /** Gives them those that wait. */
  pump(): void;
}

export function createTakers(options: {
  slots: Slots<Peer>;
  waiting: Waiting;
  dispatch: (entry: Entry, peer: Peer) => void;
  refuse: (entry: Entry, error: Failure) => void;
}): Takers {
  const { slots, waiting, dispatch, refuse } = options;
  let timer: NodeJS.Timeout | undefined;

  function pump(): void {
    if (waiting.size === 0) return;
    const peers = slots.peers();
    if (peers.length === 0) return;
    if (!peers.some(takesRequests)) {
      const error = findHindrance(peers);
      // What has a timer waits for who was there a moment ago.
      for (const entry of waiting.entries()) if (!entry.timer) refuse(entry, error);
      return;
    }
    while (waiting.size > 0) {
      const choice = slots.choose(takesRequests);
      if ('waitMs' in choice) {
        clearTimeout(timer);
        if (choice.waitMs < Infinity) timer = setTimeout(pump, choice.waitMs).unref();
        return;
      }
      const entry = waiting.next();
      if (entry) dispatch(entry, choice.peer);
    }
  }

  return {
    choose() {
      const choice = slots.choose(takesRequests);
      return 'peer' in choice ? choice.peer : undefined;
    },
    pump,
  };
}
