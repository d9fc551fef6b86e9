import type { AnswerEnd, AnswerPart } from '#shared/chat.ts';
import { BridgeError, type Failure } from '#shared/errors.ts';
import { maxAnswerChars, type AnswerFrame, type Delivery } from '#shared/protocol.ts';

import { addParts, takeRoom, type Entry } from './entry.ts';
import { isOurs, onceBegun, wasNeverAsked } from './never-started.ts';
import type { Peer } from './peer.ts';
import { isHeld, isTerminal, nextSeqOf, type RequestEvent } from './request-state.ts';
import type { Slots } from './slots.ts';
import { createUnrecorded } from './unrecorded.ts';

/** After Puter turned a call away, which it did nine times by then: puter.js repeats by itself for twelve seconds. */
const backOffMs = 10_000;
const maxRefusals = 1;

/** Once a lane has it, Puter alone can say that no model was called; once there is a piece of the answer, nobody can. */
function believe({ state }: Entry, failure: Failure): Failure {
  const hasBegun = nextSeqOf(state) > 0 || (state.status === 'started' && isOurs(failure));
  return hasBegun ? onceBegun(failure) : failure;
}

/** What comes back from the extensions, by either way, and the room that their answers have. */
export function createAnswers(options: {
  find: (requestId: string) => Entry | undefined;
  slots: Slots<Peer>;
  apply: (entry: Entry, event: RequestEvent, settlement?: AnswerEnd | BridgeError) => boolean;
  laneFreed: () => void;
  /** Restores a request that is wanted although nobody here waits for it any more. */
  recall: (requestId: string) => void;
  /** No model was asked, so that its Idempotency-Key may ask anew. */
  gaveBack: (requestId: string) => void;
}) {
  const { find, slots, apply, laneFreed, recall, gaveBack } = options;
  /** Whatever ends is in here before it does, since whoever it is for may record it at once. */
  const unrecorded = createUnrecorded();

  /** The entry where `instance` holds it, on a live connection or on one that was lost. */
  function heldBy(instance: string, requestId: string): Entry | undefined {
    const entry = find(requestId);
    if (!entry) return undefined;
    const { state } = entry;
    return 'instance' in state && state.instance === instance ? entry : undefined;
  }

  /** True where Puter had too many calls and this one, which it turned away, goes again later. */
  function turnedAway(entry: Entry, peer: Peer, { code, upstream }: Failure): boolean {
    if (code !== 'upstream_failed' || upstream?.code !== 'too_many_requests') return false;
    slots.backOff(peer, backOffMs);
    entry.refusals += 1;
    return entry.refusals <= maxRefusals && apply(entry, { type: 'refused' });
  }

  /** Recorded, or no longer wanted: either way the extension need not keep it. */
  function letGo(peer: Peer, requestId: string): void {
    if (unrecorded.keeper(requestId) !== peer.instance) peer.send({ type: 'ack', requestIds: [requestId] });
  }

  function receiveParts(entry: Entry, parts: readonly AnswerPart[]): void {
    if (isTerminal(entry.state) || addParts(entry, parts)) return;
    const message = `The answer is longer than ${maxAnswerChars} characters.`;
    apply(entry, { type: 'failed', error: { code: 'answer_too_large', message } });
  }

  return {
    receive(peer: Peer, frame: AnswerFrame): void {
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
          const { seq, parts, finishReason, model, usage } = frame;
          slots.free(peer, requestId);
          if (!entry) letGo(peer, requestId);
          else {
            unrecorded.add(requestId, peer.instance);
            if (parts && isHeld(entry.state) && seq === nextSeqOf(entry.state)) receiveParts(entry, parts);
            apply(entry, { type: 'ended', seq }, { finishReason, model, usage });
          }
          break;
        }
        case 'error':
          slots.free(peer, requestId);
          if (!entry || turnedAway(entry, peer, frame.error)) letGo(peer, requestId);
          else {
            unrecorded.add(requestId, peer.instance);
            const error = believe(entry, frame.error);
            if (nextSeqOf(entry.state) === 0 && wasNeverAsked(error)) gaveBack(requestId);
            apply(entry, { type: 'failed', error });
          }
          break;
      }
      laneFreed();
    },

    deliver(instance: string, requestId: string, delivery: Delivery): boolean {
      if (unrecorded.keeper(requestId) !== undefined) return false;
      if (!find(requestId)) recall(requestId);
      const entry = heldBy(instance, requestId);
      if (!entry) return false;
      const peer = slots.find(instance);
      if (peer) slots.free(peer, requestId);
      unrecorded.add(requestId, instance);
      // How much of the answer got lost with the socket, nobody knows.
      if ('error' in delivery) apply(entry, { type: 'failed', error: onceBegun(delivery.error) });
      else {
        // The socket already carried the beginning.
        receiveParts(entry, delivery.chunks.slice(nextSeqOf(entry.state)).flat());
        apply(entry, { type: 'delivered', seq: delivery.chunks.length }, delivery.end);
      }
      laneFreed();
      return true;
    },

    keeper: unrecorded.keeper,
    recording: (instance: string, requestId: string): Promise<void> | undefined =>
      unrecorded.keeper(requestId) === instance ? unrecorded.recorded(requestId) : undefined,
    recorded(requestId: string): void {
      const entry = find(requestId);
      // Its text ended before it did, and that is safe now.
      if (entry) apply(entry, { type: 'cancelled' }, new BridgeError('cancelled', 'The text ended at a stop.'));
      const keeper = unrecorded.keeper(requestId);
      unrecorded.remove(requestId);
      if (keeper !== undefined) slots.find(keeper)?.send({ type: 'ack', requestIds: [requestId] });
    },

    /** The caller read, so that more may come. */
    tellRoom(entry: Entry): void {
      const peer = isHeld(entry.state) ? slots.find(entry.state.instance) : undefined;
      const chars = peer ? takeRoom(entry) : 0;
      if (chars > 0) peer?.send({ type: 'room', requestId: entry.requestId, chars });
    },
  };
}
