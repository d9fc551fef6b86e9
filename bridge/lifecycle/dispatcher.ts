import type { AnswerEnd, AnswerPart, CallEvent, ChatRequest } from '#shared/chat.ts';
import { BridgeError, type ErrorCode, type Failure } from '#shared/errors.ts';
import { findHindrance, takesRequests } from '#shared/hindrance.ts';
import { maxAnswerChars, type AnswerFrame, type Delivery, type Resumption } from '#shared/protocol.ts';

import { abortReason, addParts, closeEntry, createEntry, resetRoom, stopTimer, takeRoom, type Entry } from './entry.ts';
import type { Peer } from './peer.ts';
import { isHeld, isTerminal, nextSeqOf, transition, type RequestEvent, type RequestState } from './request-state.ts';
import { createSlots } from './slots.ts';

export interface Submission {
  requestId: string;
  /** Parts as they arrive, then one `finish`; the stream errors with a `BridgeError` otherwise. */
  events: ReadableStream<CallEvent>;
}

export interface Dispatcher {
  /** Aborting `signal` cancels the call wherever it is, and its reason ends the stream. `caller` says who asks. */
  submit(chat: ChatRequest, signal: AbortSignal, caller: string | null): Submission;
  /**
   * Takes a connection in; returns which of the requests that it still holds are wanted, and from where on.
   * Nothing is dispatched to it before the next `pump`.
   */
  attach(peer: Peer, heldRequests: readonly string[]): Resumption[];
  /** The connection is gone. What it holds may come back within the grace. */
  detach(peer: Peer): void;
  receive(peer: Peer, frame: AnswerFrame): void;
  /** A whole answer, or its failure, that came beside the socket. False where this instance holds no such request. */
  deliver(instance: string, requestId: string, delivery: Delivery): boolean;
  /** Something that decides about dispatching changed: a session, or a pause, began or ended. */
  pump(): void;
  /** Ends whatever is still open with `error`. */
  abandon(error: BridgeError): void;
  counts(): { queued: number; running: number };
  busyLanes(peer: Peer): number;
}

const sentences = {
  disconnected:
    'The extension went away while it ran this call, so its outcome is unknown and it may have been billed. Send it again if you still need the answer.',
  tooLarge: `The answer is longer than ${maxAnswerChars} characters.`,
};

export function createDispatcher(options: {
  /** How long a request waits for a first extension. */
  connectGraceMs: number;
  /** How long a call whose extension vanished waits for it to come back. */
  lostGraceMs: number;
  /** How long a cancelled call may keep its slot before we stop believing in it. */
  cancelGraceMs: number;
  newRequestId: () => string;
  /** What the caller is told of a failure of this call. */
  explain: (failure: Failure, chat: ChatRequest) => Failure;
  onChange: () => void;
}): Dispatcher {
  const { connectGraceMs, lostGraceMs, cancelGraceMs, newRequestId, explain, onChange } = options;
  const entries = new Map<string, Entry>();
  const queue: Entry[] = [];
  const slots = createSlots<Peer>({ cancelGraceMs, onFree: laneFreed });

  function apply(entry: Entry, event: RequestEvent, settlement?: AnswerEnd | BridgeError): boolean {
    const before = entry.state;
    const state = transition(before, event);
    if (state === before) return false;
    entry.state = state;
    stopTimer(entry);
    if (state.status === 'unknown')
      entry.timer = failAfter(entry, lostGraceMs, 'extension_disconnected', sentences.disconnected);
    if (state.status === 'queued') queue.unshift(entry);
    if (state.status === 'failed') settle(entry, before, BridgeError.from(explain(state.error, entry.chat)));
    else if (isTerminal(state))
      settle(entry, before, settlement ?? new BridgeError('internal_error', 'The call ended without an outcome.'));
    if (state.status !== before.status) onChange();
    return true;
  }

  function settle(entry: Entry, before: RequestState, outcome: AnswerEnd | BridgeError): void {
    entries.delete(entry.requestId);
    if (before.status === 'queued') queue.splice(queue.indexOf(entry), 1);
    if (isHeld(before)) {
      const peer = peerOf(before.instance);
      // Only a call that the extension has not ended itself still has its slot.
      if (peer && slots.expire(peer, entry.requestId)) peer.send({ type: 'cancel', requestId: entry.requestId });
    }
    closeEntry(entry, outcome);
  }

  function fail(entry: Entry, code: ErrorCode, message: string): void {
    apply(entry, { type: 'failed', error: { code, message } });
  }

  function failAfter(entry: Entry, ms: number, code: ErrorCode, message: string): NodeJS.Timeout {
    return setTimeout(() => fail(entry, code, message), ms);
  }

  function pump(): void {
    const peers = slots.peers();
    const takers = peers.filter(takesRequests);
    if (takers.length === 0) {
      const error = findHindrance(peers);
      if (peers.length === 0) {
        for (const entry of queue) entry.timer ??= failAfter(entry, connectGraceMs, error.code, error.message);
        return;
      }
      for (const entry of [...queue]) apply(entry, { type: 'failed', error });
      return;
    }
    let entry: Entry | undefined;
    for (let peer = leastLoaded(takers); peer && (entry = queue.shift()); peer = leastLoaded(takers)) {
      slots.take(peer, entry.requestId);
      entry.profile = peer.profile;
      apply(entry, { type: 'dispatched', instance: peer.instance });
      const { requestId, chat, caller } = entry;
      peer.send({ type: 'request', requestId, chat, caller });
    }
  }

  function laneFreed(): void {
    pump();
    onChange();
  }

  const peerOf = (instance: string): Peer | undefined => slots.peers().find((peer) => peer.instance === instance);
  const freeLanes = (peer: Peer): number => peer.lanes - slots.taken(peer);

  function leastLoaded(peers: Peer[]): Peer | undefined {
    const best = peers.reduce((a, b) => (freeLanes(b) > freeLanes(a) ? b : a));
    return freeLanes(best) > 0 ? best : undefined;
  }

  /** The entry where `instance` holds it, on a live connection or on one that was lost. */
  function heldBy(instance: string, requestId: string): Entry | undefined {
    const entry = entries.get(requestId);
    if (!entry) return undefined;
    const { state } = entry;
    return 'instance' in state && state.instance === instance ? entry : undefined;
  }

  function tellRoom(entry: Entry): void {
    const peer = isHeld(entry.state) ? peerOf(entry.state.instance) : undefined;
    const chars = peer ? takeRoom(entry) : 0;
    if (chars > 0) peer?.send({ type: 'room', requestId: entry.requestId, chars });
  }

  function receiveParts(entry: Entry, parts: readonly AnswerPart[]): void {
    if (!isTerminal(entry.state) && !addParts(entry, parts)) fail(entry, 'answer_too_large', sentences.tooLarge);
  }

  return {
    submit(chat, signal, caller) {
      const requestId = newRequestId();
      const onAbort = () => {
        const reason = abortReason(signal);
        apply(entry, { type: reason.code === 'timed_out' ? 'timed_out' : 'cancelled' }, reason);
      };
      const onRead = () => tellRoom(entry);
      const entry: Entry = createEntry({ requestId, chat, caller, signal, onAbort, onRead });
      entries.set(requestId, entry);
      queue.push(entry);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort);
      pump();
      onChange();
      return { requestId, events: entry.events };
    },

    attach(peer, heldRequests) {
      slots.add(peer);
      const resume: Resumption[] = [];
      // Newest first: each that goes back to the queue goes to its head, so the oldest ends up first.
      for (const entry of [...entries.values()].toReversed()) {
        const { state } = entry;
        if (state.status !== 'unknown') continue;
        if (state.instance === peer.instance && heldRequests.includes(entry.requestId)) {
          apply(entry, { type: 'resumed' });
          slots.take(peer, entry.requestId);
          resume.push({ requestId: entry.requestId, nextSeq: state.nextSeq, room: resetRoom(entry) });
        } else if (state.instance === peer.instance && apply(entry, { type: 'never_started' })) {
          continue;
        } else if (state.instance === peer.instance || peer.profile === entry.profile) {
          // The page that held it was restarted, or forgot it: no evidence will come any more.
          fail(entry, 'extension_disconnected', sentences.disconnected);
        }
      }
      queue.forEach(stopTimer);
      onChange();
      return resume;
    },

    detach(peer) {
      slots.remove(peer);
      for (const entry of [...entries.values()]) {
        if (isHeld(entry.state) && entry.state.instance === peer.instance) apply(entry, { type: 'lost' });
      }
      pump();
      onChange();
    },

    receive(peer, frame) {
      const { requestId } = frame;
      const entry = heldBy(peer.instance, requestId);
      switch (frame.type) {
        case 'started':
          if (entry) apply(entry, { type: 'started' });
          return;
        case 'chunk':
          if (entry && apply(entry, { type: 'chunk', seq: frame.seq })) receiveParts(entry, frame.parts);
          return;
        case 'end': {
          const { finishReason, model, usage } = frame;
          slots.free(peer, requestId);
          if (entry) apply(entry, { type: 'ended', seq: frame.seq }, { finishReason, model, usage });
          break;
        }
        case 'error':
          slots.free(peer, requestId);
          if (entry) apply(entry, { type: 'failed', error: frame.error });
          break;
      }
      // Recorded, or no longer wanted: either way the extension need not keep it.
      peer.send({ type: 'ack', requestId });
      laneFreed();
    },

    deliver(instance, requestId, delivery) {
      const entry = heldBy(instance, requestId);
      if (!entry) return false;
      const peer = peerOf(instance);
      if (peer) slots.free(peer, requestId);
      if ('error' in delivery) {
        apply(entry, { type: 'failed', error: delivery.error });
      } else {
        // The socket already carried the beginning.
        receiveParts(entry, delivery.chunks.slice(nextSeqOf(entry.state)).flat());
        apply(entry, { type: 'delivered', seq: delivery.chunks.length }, delivery.end);
      }
      pump();
      return true;
    },

    pump,
    abandon(error) {
      for (const entry of [...entries.values()]) apply(entry, { type: 'failed', error: error.failure });
    },
    counts: () => ({ queued: queue.length, running: entries.size - queue.length }),
    busyLanes: slots.taken,
  };
}
