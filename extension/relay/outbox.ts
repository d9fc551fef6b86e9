import { partChars, type AnswerPart } from '#shared/chat.ts';
import { maxUnreadChars, type AnswerFrame, type Delivery, type Resumption } from '#shared/protocol.ts';
import { createTransientMap } from '#shared/transient-map.ts';

/**
 * The answer frames of every request, kept until the bridge acknowledges the last one: an answer was paid for,
 * and a connection may drop between any two frames. They go out in order, as far as the bridge has room.
 */
export interface Outbox {
  /** Numbers and keeps a frame. Does nothing where the request is not open (any more). */
  add(requestId: string, frame: Unnumbered): void;
  /** The frames that may go out now; they count as sent. */
  take(requestId: string): AnswerFrame[];
  /** The bridge has room for so many characters more. */
  addRoom(requestId: string, chars: number): void;
  /** What the bridge has not goes out again, as far as it has room. */
  resume(resumption: Resumption): void;
  /** Nobody reads what waits for room: of it, only the last frame of a finished answer still goes out. */
  skip(requestId: string): void;
  open(requestId: string): void;
  has(requestId: string): boolean;
  forget(requestId: string): void;
  /** Ids of all requests, running or finished. */
  held(): string[];
  /** Finished requests, ready to be handed in whole. */
  finished(): { requestId: string; delivery: Delivery }[];
}

type Unnumbered = AnswerFrame extends infer F
  ? F extends { type: string }
    ? Omit<F, 'seq' | 'requestId'>
    : never
  : never;

export function createOutbox(): Outbox {
  const requests = createTransientMap<Kept>();

  return {
    open: (requestId) => requests.set(requestId, { requestId, frames: [], nextSeq: 0, sent: 0, room: maxUnreadChars }),
    has: (requestId) => requests.has(requestId),
    forget: (requestId) => void requests.delete(requestId),
    held: () => [...requests.values()].map(({ requestId }) => requestId),
    add(requestId, frame) {
      const request = requests.get(requestId);
      if (!request) return;
      const numbered = number(requestId, request.nextSeq, frame);
      if ('seq' in numbered) request.nextSeq += 1;
      request.frames.push(numbered);
    },
    take(requestId) {
      const request = requests.get(requestId);
      if (!request) return [];
      const { frames, sent } = request;
      for (let next = frames[sent]; next; next = frames[request.sent]) {
        const chars = charsOf(next);
        if (chars > 0 && request.room <= 0) break;
        request.room -= chars;
        request.sent += 1;
      }
      return frames.slice(sent, request.sent);
    },
    addRoom(requestId, chars) {
      const request = requests.get(requestId);
      if (request) request.room += chars;
    },
    resume({ requestId, nextSeq, room }) {
      const request = requests.get(requestId);
      if (!request) return;
      request.sent = request.frames.findLastIndex((frame) => 'seq' in frame && frame.seq < nextSeq) + 1;
      request.room = room;
    },
    skip(requestId) {
      const request = requests.get(requestId);
      if (!request) return;
      const { frames, sent } = request;
      request.sent = Math.max(sent, toDelivery(frames) ? frames.length - 1 : frames.length);
      request.room = Infinity;
    },
    finished() {
      return [...requests.values()].flatMap(({ requestId, frames }) => {
        const delivery = toDelivery(frames);
        return delivery ? [{ requestId, delivery }] : [];
      });
    },
  };
}

interface Kept {
  requestId: string;
  frames: AnswerFrame[];
  nextSeq: number;
  /** How many of the frames went out. */
  sent: number;
  /** How many characters more may go out; below zero where the last frame was larger than that. */
  room: number;
}

const partsOf = (frame: AnswerFrame): AnswerPart[] | undefined => ('parts' in frame ? frame.parts : undefined);

const charsOf = (frame: AnswerFrame): number => partsOf(frame)?.reduce((sum, part) => sum + partChars(part), 0) ?? 0;

function number(requestId: string, seq: number, frame: Unnumbered): AnswerFrame {
  const isNumbered = frame.type === 'chunk' || frame.type === 'end';
  return { ...frame, requestId, ...(isNumbered && { seq }) } as AnswerFrame;
}

function toDelivery(frames: AnswerFrame[]): Delivery | undefined {
  const last = frames.at(-1);
  if (last?.type === 'error') return { error: last.error };
  if (last?.type !== 'end') return undefined;
  const { finishReason, model, usage } = last;
  const chunks = frames.map(partsOf).filter((parts) => parts !== undefined);
  return { chunks, end: { finishReason, model, usage } };
}
