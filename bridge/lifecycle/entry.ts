import { partChars, type AnswerEnd, type AnswerPart, type ChatEvent, type ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { queued, type RequestState } from './request-state.ts';

/** A request that is not settled yet, and the stream that its caller reads. */
export interface Entry {
  readonly requestId: string;
  readonly chat: ChatRequest;
  readonly caller: string | null;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
  readonly events: ReadableStream<ChatEvent>;
  readonly controller: ReadableStreamDefaultController<ChatEvent>;
  state: RequestState;
  /** Of the extension that holds it, for as long as one does. */
  profile: string | undefined;
  /** Characters of all parts so far. */
  chars: number;
  timer: NodeJS.Timeout | undefined;
}

export function createEntry(options: Pick<Entry, 'requestId' | 'chat' | 'caller' | 'signal' | 'onAbort'>): Entry {
  let controller!: Entry['controller'];
  const events = new ReadableStream<ChatEvent>({ start: (it) => void (controller = it) });
  return {
    ...options,
    events,
    controller,
    state: queued,
    profile: undefined,
    chars: 0,
    timer: undefined,
  };
}

export function addPart(entry: Entry, part: AnswerPart): void {
  entry.controller.enqueue(part);
  entry.chars += partChars(part);
}

/** Closes the caller's stream with its one `finish`, or breaks it. */
export function closeEntry(entry: Entry, outcome: AnswerEnd | BridgeError): void {
  entry.signal.removeEventListener('abort', entry.onAbort);
  if (outcome instanceof BridgeError) return entry.controller.error(outcome);
  entry.controller.enqueue({ type: 'finish', ...outcome });
  entry.controller.close();
}

export const abortReason = ({ reason }: AbortSignal): BridgeError =>
  reason instanceof BridgeError ? reason : new BridgeError('cancelled', 'The call was cancelled.');
