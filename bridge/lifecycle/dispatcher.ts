import type { AnswerEnd, CallEvent, ChatRequest } from '#shared/chat.ts';
import { BridgeError, type Failure } from '#shared/errors.ts';
import { findHindrance, takesRequests } from '#shared/hindrance.ts';
import type { AnswerFrame, Delivery, Resumption } from '#shared/protocol.ts';
import { createTransientMap } from '#shared/transient-map.ts';

import type { Source } from '../flow.ts';
import { createTimers, type StartTimer } from '../timers.ts';
import { createAnswers } from './answers.ts';
import { closeEntry, createEntry, resetRoom, stopTimer, type Entry, type Submitter } from './entry.ts';
import type { DispatchJournal } from './dispatch-journal.ts';
import { disconnected, limitOf, type Patience } from './patience.ts';
import type { Peer } from './peer.ts';
import { createTakers } from './takers.ts';
import { isHeld, isTerminal, transition, type RequestEvent, type RequestState } from './request-state.ts';
import { createSlots } from './slots.ts';
import { createWaiting, type WaitingLimits } from './waiting.ts';

export interface Dispatcher {
  /**
   * Parts as they arrive, then one `finish`; it fails with a `BridgeError` otherwise. Throws where too many wait already.
   */
  submit(chat: ChatRequest, how: { requestId: string; submitter: Submitter }): Source<CallEvent>;
  /** Ends a call wherever it is; `reason` is what it fails with. */
  cancel(requestId: string, reason: BridgeError): void;
  /** Waits for a call that went out before the bridge was started, and gives what comes of it. */
  restore(requestId: string, holder: { instance: string; profile: string }): Source<CallEvent>;
  /**
   * Takes a connection in; returns which of the requests that it still holds are wanted, and from where on.
   * Nothing is dispatched to it before the next `pump`.
   */
  attach(peer: Peer, heldRequests: readonly string[]): Resumption[];
  /** The connection is gone. What it holds may come back within the grace. */
  detach(peer: Peer): void;
  /** This profile will not come back: fails what it left behind. */
  forsake(profile: string): void;
  receive(peer: Peer, frame: AnswerFrame): void;
  /** A whole answer, or its failure, that came beside the socket. False where this instance holds no such request. */
  deliver(instance: string, requestId: string, delivery: Delivery): boolean;
  /** What came of a call is on disk, or needs not be: its extension may forget it, and ends it where it still runs. */
  recorded(requestId: string): void;
  /** Resolves once `recorded` was said of a call that this instance brought; undefined where it brought none. */
  recording(instance: string, requestId: string): Promise<void> | undefined;
  /** Something that decides about dispatching changed: a session, or a pause, began or ended. */
  pump(): void;
  /** Ends whatever is still open with `error`, or only what no extension has yet. */
  abandon(error: BridgeError, which?: 'queued'): void;
  counts(): { queued: number; running: number };
  busyLanes(peer: Peer): number;
}

/** More calls than that in a row, each the only one of its extension, and the next one is believed to stay alone. */
const fewAlone = 8;

const waited: Failure = {
  code: 'queue_timeout',
  message: 'No lane was free in time, so the request was never sent. Send it again in a moment.',
};

interface DispatcherOptions extends Patience {
  /** How long a request waits for a first extension. */
  connectGraceMs: number;
  /** How long a cancelled call may keep its slot before we stop believing in it. */
  cancelGraceMs: number;
  limits: WaitingLimits;
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
  startTimer?: StartTimer;
  journal: DispatchJournal;
  /** What the caller is told of a failure of this call. */
  explain: (failure: Failure, chat: ChatRequest) => Failure;
  onChange: () => void;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { connectGraceMs, cancelGraceMs, limits, now, startTimer = createTimers() } = options;
  const { journal, explain, onChange } = options;
  const entries = createTransientMap<Entry>();
  /** How many calls in a row went out while their extension had no other. */
  let alone = 0;
  const waiting = createWaiting({ ...limits, startTimer, onTimeout: (entry) => fail(entry, waited) });
  const slots = createSlots<Peer>({ cancelGraceMs, startTimer, onFree: laneFreed, now });
  const takers = createTakers({ slots, waiting, dispatch, refuse: fail });
  const find = (requestId: string) => entries.get(requestId);
  const answers = createAnswers({ find, slots, apply, laneFreed, recall: journal.recall, gaveBack: journal.requeued });

  function apply(entry: Entry, event: RequestEvent, settlement?: AnswerEnd | BridgeError): boolean {
    const before = entry.state;
    const state = transition(before, event);
    if (state === before) return false;
    entry.state = state;
    restartTimer(entry);
    if (state.status === 'queued') {
      journal.requeued(entry.requestId);
      waiting.putBack(entry);
    }
    if (state.status === 'failed') settle(entry, before, BridgeError.from(explain(state.error, entry.chat)));
    else if (isTerminal(state))
      settle(entry, before, settlement ?? new BridgeError('internal_error', 'The call ended without an outcome.'));
    if (state.status !== before.status) onChange();
    return true;
  }

  function settle(entry: Entry, before: RequestState, outcome: AnswerEnd | BridgeError): void {
    entries.delete(entry.requestId);
    if (before.status === 'queued') waiting.remove(entry);
    if (isHeld(before)) {
      const peer = slots.find(before.instance);
      // Only a call that the extension has not ended itself still has its slot.
      if (peer && slots.expire(peer, entry.requestId)) peer.send({ type: 'cancel', requestId: entry.requestId });
    }
    closeEntry(entry, outcome);
  }

  function fail(entry: Entry, error: Failure): void {
    apply(entry, { type: 'failed', error });
  }

  /** For what it is now. */
  function restartTimer(entry: Entry): void {
    stopTimer(entry);
    const limit = limitOf(entry, options);
    if (limit) entry.timer = startTimer(limit.ms, () => fail(entry, limit.failure()));
  }

  function dispatch(entry: Entry, peer: Peer): void {
    const { requestId, chat, submitter } = entry;
    slots.take(peer, requestId);
    slots.started(peer);
    entry.profile = peer.profile;
    // On disk before it leaves, by whoever sends it: what may have gone out is never sent again.
    journal.dispatched(requestId, peer);
    alone = slots.taken(peer) === 1 ? alone + 1 : 0;
    // Where they come one after the other, there is none to leave together with; of many at once, one is first each time.
    try {
      peer[alone > fewAlone ? 'sendNow' : 'send']({ type: 'request', requestId, chat, caller: submitter.name });
    } finally {
      // Only now: what has to be done for us alone does not hold it up.
      apply(entry, { type: 'dispatched', instance: peer.instance });
    }
  }

  /** Nobody is there who takes any, for now. */
  function startGrace(entry: Entry): void {
    entry.timer ??= startTimer(connectGraceMs, () => fail(entry, findHindrance(slots.peers())));
  }

  function laneFreed(): void {
    takers.pump();
    onChange();
  }

  return {
    submit(chat, { requestId, submitter }) {
      const entry = createEntry({ requestId, chat, submitter, onRead: answers.tellRoom });
      // Where nobody waits and a lane is free, it need not wait either.
      const peer = waiting.size === 0 ? takers.choose() : undefined;
      if (!peer) waiting.add(entry);
      entries.set(requestId, entry);
      if (peer) dispatch(entry, peer);
      else if (slots.peers().length === 0) startGrace(entry);
      else takers.pump();
      onChange();
      return entry.events;
    },

    cancel(requestId, reason) {
      const entry = entries.get(requestId);
      if (!entry) return;
      if (reason.code !== 'timed_out') apply(entry, { type: 'cancelled' }, reason);
      // It never went out, so that it may be sent again at no cost.
      else if (entry.state.status === 'queued') fail(entry, waited);
      else apply(entry, { type: 'timed_out' }, reason);
    },

    restore(requestId, { instance, profile }) {
      const submitter: Submitter = { scope: '', name: null, priority: 'normal' };
      const chat: ChatRequest = { messages: [] };
      const entry = createEntry({ requestId, chat, submitter, onRead: answers.tellRoom });
      entry.profile = profile;
      // What it asked is gone with the earlier bridge, so that it cannot go out again, whoever turned it away.
      entry.refusals = Infinity;
      entry.isStreamed = false;
      entry.state = { status: 'unknown', instance, nextSeq: 0, started: true };
      restartTimer(entry);
      entries.set(requestId, entry);
      return entry.events;
    },

    attach(peer, heldRequests) {
      slots.add(peer);
      const resume: Resumption[] = [];
      for (const requestId of heldRequests) {
        const keeper = answers.keeper(requestId);
        // It is all here, and kept there until it is on disk here, too.
        if (keeper === peer.instance) resume.push({ requestId, nextSeq: Number.MAX_SAFE_INTEGER, room: 0 });
        else if (keeper === undefined && !entries.has(requestId)) journal.recall(requestId);
      }
      for (const entry of [...entries.values()]) {
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
          fail(entry, disconnected);
        }
      }
      for (const entry of waiting.entries()) stopTimer(entry);
      onChange();
      return resume;
    },

    detach(peer) {
      slots.remove(peer);
      for (const entry of [...entries.values()]) {
        if (isHeld(entry.state) && entry.state.instance === peer.instance) apply(entry, { type: 'lost' });
      }
      // It may be back in this very turn, or in a moment.
      if (!slots.peers().some(takesRequests)) for (const entry of waiting.entries()) startGrace(entry);
      takers.pump();
      onChange();
    },

    forsake(profile) {
      for (const entry of [...entries.values()]) {
        if (entry.state.status !== 'unknown' || entry.profile !== profile) continue;
        fail(entry, disconnected);
      }
    },

    receive: answers.receive,
    deliver: answers.deliver,
    recorded: answers.recorded,
    recording: answers.recording,
    pump: takers.pump,
    abandon(error, which) {
      for (const entry of [...entries.values()])
        if (which === undefined || entry.state.status === which) apply(entry, { type: 'failed', error: error.failure });
    },
    counts: () => ({ queued: waiting.size, running: entries.size - waiting.size }),
    busyLanes: slots.taken,
  };
}
