import type { AnswerFrame, Delivery } from '#shared/protocol.ts';

/**
 * The answer frames of every request, kept until the bridge acknowledges the last one: an answer was paid for,
 * and a connection may drop between any two frames.
 */
export interface Outbox {
  /** Numbers and keeps a frame. Undefined where the request is not open (any more). */
  add(requestId: string, frame: Unnumbered): AnswerFrame | undefined;
  open(requestId: string): void;
  has(requestId: string): boolean;
  forget(requestId: string): void;
  /** Ids of all requests, running or finished. */
  held(): string[];
  /** The kept frames from `nextSeq` on. */
  since(requestId: string, nextSeq: number): AnswerFrame[];
  /** Finished requests, ready to be handed in whole. */
  finished(): { requestId: string; delivery: Delivery }[];
}

type Unnumbered = AnswerFrame extends infer F
  ? F extends { type: string }
    ? Omit<F, 'seq' | 'requestId'>
    : never
  : never;

export function createOutbox(): Outbox {
  const requests = new Map<string, { frames: AnswerFrame[]; nextSeq: number }>();

  return {
    open: (requestId) => void requests.set(requestId, { frames: [], nextSeq: 0 }),
    has: (requestId) => requests.has(requestId),
    forget: (requestId) => void requests.delete(requestId),
    held: () => [...requests.keys()],
    add(requestId, frame) {
      const request = requests.get(requestId);
      if (!request) return undefined;
      const numbered = number(requestId, request.nextSeq, frame);
      if ('seq' in numbered) request.nextSeq += 1;
      request.frames.push(numbered);
      return numbered;
    },
    since(requestId, nextSeq) {
      const frames = requests.get(requestId)?.frames ?? [];
      return frames.filter((frame) => !('seq' in frame) || frame.seq >= nextSeq);
    },
    finished() {
      return [...requests].flatMap(([requestId, { frames }]) => {
        const delivery = toDelivery(frames);
        return delivery ? [{ requestId, delivery }] : [];
      });
    },
  };
}

function number(requestId: string, seq: number, frame: Unnumbered): AnswerFrame {
  const isNumbered = frame.type === 'chunk' || frame.type === 'end';
  return { ...frame, requestId, ...(isNumbered && { seq }) } as AnswerFrame;
}

function toDelivery(frames: AnswerFrame[]): Delivery | undefined {
  const last = frames.at(-1);
  if (last?.type === 'error') return { error: last.error };
  if (last?.type !== 'end') return undefined;
  const { finishReason, model, usage } = last;
  const chunks = frames.flatMap((frame) => (frame.type === 'chunk' ? [frame.parts] : []));
  return { chunks, end: { finishReason, model, usage } };
}
