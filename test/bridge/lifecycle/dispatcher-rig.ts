import type { AnswerPart, ChatEvent } from '#shared/chat.ts';
import { BridgeError, type ErrorCode } from '#shared/errors.ts';
import type { AccountState, HopState } from '#shared/hops.ts';
import type { Delivery, FrameToExtension, Resumption } from '#shared/protocol.ts';

import type { Source } from '../../../bridge/flow.ts';
import { createDispatcher, type Dispatcher } from '../../../bridge/lifecycle/dispatcher.ts';
import type { DispatchJournal } from '../../../bridge/lifecycle/dispatch-journal.ts';
import type { Submitter } from '../../../bridge/lifecycle/entry.ts';
import type { Peer } from '../../../bridge/lifecycle/peer.ts';
import { countTimers } from '../counted-timers.ts';
import { readAll } from '../flow-rig.ts';

export const graces = {
  connectGraceMs: 3000,
  lostGraceMs: 30_000,
  cancelGraceMs: 10_000,
  ackMs: 10_000,
  firstTokenMs: 90_000,
};

/** An extension reduced to what the dispatcher sees of it: it keeps what it was sent and does nothing by itself. */
export interface TestPeer extends Peer {
  lanes: number;
  rate: number;
  paused: boolean;
  account: AccountState;
  readonly sent: FrameToExtension[];
  /** Those of them that did not wait for the end of the turn. */
  readonly sentNow: FrameToExtension[];
  /** Ids of the frames of one type that it was sent, in order. */
  idsOf(type: 'request' | 'cancel' | 'ack'): string[];
}

export const accountIn = (session: HopState<'session'>): AccountState => ({
  session: { state: session, since: 0, until: null, detail: null },
  puter: { state: 'reachable', since: 0, until: null, detail: null },
});
export const signedIn = accountIn('signed_in');
export const signedOut = accountIn('signed_out');

export function createPeer(
  instance: string,
  { lanes = 1, rate = 1000, profile = `profile of ${instance}`, paused = false, account = signedIn } = {},
): TestPeer {
  const sent: FrameToExtension[] = [];
  const sentNow: FrameToExtension[] = [];
  return {
    instance,
    profile,
    lanes,
    rate,
    paused,
    account,
    sent,
    sentNow,
    send: (frame) => void sent.push(frame),
    sendNow(frame) {
      sent.push(frame);
      sentNow.push(frame);
    },
    idsOf: (type) =>
      sent
        .filter((frame) => frame.type === type)
        .flatMap((frame) => ('requestIds' in frame ? frame.requestIds : 'requestId' in frame ? [frame.requestId] : [])),
  };
}

/** Of a caller that hung up. */
export const cancelled = () => new BridgeError('cancelled', 'The caller hung up.');

/** How a call came out: its whole text, or the code that it failed with. */
export type Outcome = { text: string } | { code: ErrorCode };

export interface TestCall {
  requestId: string;
  outcome: Promise<Outcome>;
  /** What arrived so far. */
  events: ChatEvent[];
  /** Undefined for as long as the call is open. */
  settled(): Outcome | undefined;
  cancel(reason?: BridgeError): void;
}

export interface Rig {
  dispatcher: Dispatcher;
  submit(prompt?: string, change?: Partial<Submitter>): TestCall;
  /** Attaches and pumps, as a connection does; returns what is to be resumed. */
  connect(peer: Peer, held?: string[]): Resumption[];
  /** How many timers of calls and lanes run. */
  timersLeft(): number;
}

export const limits = { maxQueued: 1000, maxQueuedPerScope: 1000, queueTimeoutMs: 60_000 };
export const submitter: Submitter = { scope: 'local', name: 'curl/8', priority: 'normal' };
const noJournal: DispatchJournal = { dispatched() {}, requeued() {}, recall() {} };

export function createRig(
  onChange: () => void = () => {},
  change: Partial<Parameters<typeof createDispatcher>[0]> = {},
): Rig {
  let ids = 0;
  const timers = countTimers();
  const dispatcher = createDispatcher({
    ...graces,
    limits,
    now: () => performance.now(),
    startTimer: timers.startTimer,
    journal: noJournal,
    explain: (failure) => failure,
    onChange,
    ...change,
  });
  return {
    dispatcher,
    timersLeft: timers.left,
    submit(prompt = 'hi', change = {}) {
      const chat = { messages: [{ role: 'user' as const, content: prompt }] };
      ids += 1;
      const requestId = `r${ids}`;
      const how = { requestId, submitter: { ...submitter, ...change } };
      const stream = dispatcher.submit(chat, how);
      const events: ChatEvent[] = [];
      let settled: Outcome | undefined;
      const outcome = read(stream, events).then((result) => (settled = result));
      const cancel = (reason = cancelled()) => dispatcher.cancel(requestId, reason);
      return { requestId, outcome, events, settled: () => settled, cancel };
    },
    connect(peer, held = []) {
      const resume = dispatcher.attach(peer, held);
      dispatcher.pump();
      return resume;
    },
  };
}

async function read(stream: Source<ChatEvent>, events: ChatEvent[]): Promise<Outcome> {
  try {
    await readAll(stream, events);
  } catch (error) {
    if (error instanceof BridgeError) return { code: error.code };
    throw error;
  }
  return { text: events.map((event) => (event.type === 'text' ? event.text : '')).join('') };
}

export const text = (text: string): AnswerPart => ({ type: 'text', text });

export const started = (requestId: string) => ({ type: 'started' as const, requestId });

export const chunk = (requestId: string, seq: number, ...parts: AnswerPart[]) => ({
  type: 'chunk' as const,
  requestId,
  seq,
  parts,
});

export const end = (requestId: string, seq: number) => ({
  type: 'end' as const,
  requestId,
  seq,
  finishReason: 'stop' as const,
  model: 'm',
  usage: { inputTokens: 1, outputTokens: 2 },
});

export const failure = (requestId: string, code: ErrorCode = 'upstream_failed') => ({
  type: 'error' as const,
  requestId,
  error: { code, message: 'It failed.' },
});

const plainEnd = { finishReason: 'stop', model: null, usage: null } as const;

/** A whole answer as it comes beside the socket: what each chunk holds. */
export const whole = (...chunks: (string | AnswerPart[])[]): Delivery => ({
  chunks: chunks.map((chunk) => (typeof chunk === 'string' ? [text(chunk)] : chunk)),
  end: plainEnd,
});
