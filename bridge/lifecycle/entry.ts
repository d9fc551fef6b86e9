import {
  finishOf,
  partChars,
  type AnswerEnd,
  type AnswerPart,
  type CallEvent,
  type ChatRequest,
} from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';
import { maxAnswerChars, maxUnreadChars } from '#shared/protocol.ts';
import { isSafeToStream } from '#shared/streaming.ts';

import type { Timer } from '../timers.ts';
import { EventQueue } from './event-queue.ts';
import type { Priority } from './queue.ts';
import { queued, type RequestState } from './request-state.ts';

/** A request that is not settled yet, and the events that its caller reads. */
export interface Entry {
  readonly requestId: string;
  readonly chat: ChatRequest;
  readonly submitter: Submitter;
  readonly events: EventQueue<CallEvent>;
  state: RequestState;
  /** Of the extension that holds it, for as long as one does. */
  profile: string | undefined;
  /** Characters of all parts so far, each counted as `minPartChars` at least. */
  chars: number;
  /** How many more the extension may send, as it was told; below zero where its last frame was larger than that. */
  room: number;
  /** For what it is now. */
  timer: Timer | undefined;
  queueTimer: Timer | undefined;
  /** How often Puter turned it away. */
  refusals: number;
  /** The first piece of its answer is there before the last, as far as is known. */
  isStreamed: boolean;
}

/** Who asks. */
export interface Submitter {
  /** Whose turn it is: the name of a key, else address and user agent. */
  scope: string;
  /** The user agent, for the person to see. */
  name: string | null;
  priority: Priority;
}

/** In steps, so that not every part that is read costs a frame. */
const roomStep = maxUnreadChars / 2;

/** `onRead` is called with it whenever the caller took something. */
export function createEntry({
  requestId,
  chat,
  submitter,
  onRead,
}: Pick<Entry, 'requestId' | 'chat' | 'submitter'> & { onRead: (entry: Entry) => void }): Entry {
  const entry: Entry = {
    requestId,
    chat,
    submitter,
    events: new EventQueue(charsOf, () => onRead(entry)),
    state: queued,
    profile: undefined,
    chars: 0,
    room: maxUnreadChars,
    timer: undefined,
    queueTimer: undefined,
    refusals: 0,
    isStreamed: isSafeToStream(chat),
  };
  return entry;
}

const charsOf = (event: CallEvent): number => (event.type === 'finish' ? 0 : partChars(event));

/** What the least part takes of an answer's length: in memory, a letter alone takes about as much. */
const minPartChars = 64;

/** False where the answer gets longer than an answer may be. */
export function addParts(entry: Entry, parts: readonly AnswerPart[]): boolean {
  for (const part of parts) {
    // It says nothing, and is no answer's beginning.
    if (partChars(part) === 0) continue;
    entry.chars += Math.max(partChars(part), minPartChars);
    // Before the caller can read it, and thereby make room.
    entry.room -= partChars(part);
    entry.events.push(part);
    if (entry.chars > maxAnswerChars) return false;
  }
  return true;
}

/** Room that reading has made and that the extension does not know of; from now on it counts as told. */
export function takeRoom(entry: Entry): number {
  const chars = freeChars(entry) - entry.room;
  if (chars < roomStep) return 0;
  entry.room += chars;
  return chars;
}

/** All the room there is, for an extension that came back: what was on its way to it or from it is lost. */
export function resetRoom(entry: Entry): number {
  entry.room = Math.max(0, freeChars(entry));
  return entry.room;
}

const freeChars = ({ events }: Entry): number => maxUnreadChars - events.unread();

export function stopTimer(entry: Entry): void {
  entry.timer?.stop();
  entry.timer = undefined;
}

/** Ends the caller's events with their one `finish`, or breaks them. */
export function closeEntry(entry: Entry, outcome: AnswerEnd | BridgeError): void {
  if (outcome instanceof BridgeError) return entry.events.fail(outcome);
  entry.events.push(finishOf(outcome));
}
