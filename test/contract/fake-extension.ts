import { once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { WebSocket } from 'ws';

import type { AnswerPart } from '#shared/chat.ts';
import { BridgeError, type Failure } from '#shared/errors.ts';
import { extensionOrigin } from '#shared/extension-id.ts';
import type { AccountState, HopState } from '#shared/hops.ts';
import {
  decodeFrameToExtension,
  encodeFrame,
  subprotocol,
  type Frame,
  type FrameToExtension,
} from '#shared/protocol.ts';
import { isSafeToStream } from '#shared/streaming.ts';

import { toPuterArguments } from '../../extension/puter/chat-arguments.ts';
import { toFailure } from '../../extension/puter/failures.ts';
import { readModels } from '../../extension/puter/models.ts';
import { createStreamReader, readWhole } from '../../extension/puter/normalise.ts';
import { toolNamesOf } from '../puter/driver-call.ts';
import { createOutbox } from '../../extension/relay/outbox.ts';
import { listedModels } from '../puter/model-list.ts';
import { findModel } from '../puter/models.ts';
import { refuse } from '../puter/refusals.ts';
import type { Call } from './process-contract.ts';

type Request = Frame<FrameToExtension, 'request'>;

/** A double of the extension: the real wire, the real outbox and the stand-in's models, without a browser between them. */
export interface FakeExtension {
  readonly calls: Call[];
  /** The last one. */
  readonly welcome: Frame<FrameToExtension, 'welcome'>;
  nextCall(): Promise<Call>;
  /** Ids of what the bridge has not acknowledged. */
  heldRequests(): string[];
  /** Whatever a test wants to put on the wire. */
  sendRaw(data: string | Buffer): void;
  /** Tells the bridge what changed. */
  tell(change: { paused?: boolean; session?: HopState<'session'>; puter?: HopState<'puter'> }): void;
  /** Cuts the connection without a goodbye; running calls go on. */
  drop(): void;
  /** The same, once this many chunks of an answer have left. */
  dropAfter(chunks: number): void;
  /** Dials again as the same instance, and resumes as the bridge asks. */
  reconnect(): Promise<void>;
  close(): void;
}

export async function startFakeExtension(options: {
  bridgeUrl: string;
  lanes?: number;
  /** Calls in ten seconds. */
  rate?: number;
  signedIn?: boolean;
  /** What it says of itself. */
  browser?: string;
  username?: string;
}): Promise<FakeExtension> {
  const { bridgeUrl, lanes = 3, rate = 100_000, signedIn = true, browser = 'Fake 1', username = 'fake' } = options;
  const instance = crypto.randomUUID();
  const profile = crypto.randomUUID();
  const calls: Call[] = [];
  const running = new Map<string, AbortController>();
  const outbox = createOutbox();
  const waiting: ((call: Call) => void)[] = [];
  let paused = false;
  const fact = { since: Date.now(), until: null };
  let account: AccountState = {
    session: { ...fact, state: signedIn ? 'signed_in' : 'signed_out', detail: username },
    puter: { ...fact, state: 'reachable', detail: null },
  };
  let lastChunk = Infinity;
  let welcome: FakeExtension['welcome'];
  let socket: WebSocket;
  await dial();

  async function dial(): Promise<void> {
    const it = new WebSocket(`${bridgeUrl.replace('http', 'ws')}/ws`, subprotocol, {
      origin: extensionOrigin,
    });
    const welcomed = Promise.withResolvers<void>();
    it.on('error', () => {});
    it.on('message', (data: Buffer) => {
      const frame = decodeFrameToExtension(data.toString('utf8'));
      switch (frame.type) {
        case 'welcome':
          welcome = frame;
          socket = it;
          for (const resumption of frame.resume) {
            outbox.resume(resumption);
            flush(resumption.requestId);
          }
          it.send(encodeFrame({ type: 'models', models: readModels({ models: listedModels }) }));
          return welcomed.resolve();
        case 'request':
          return void run(frame);
        case 'cancel':
          running.get(frame.requestId)?.abort();
          outbox.skip(frame.requestId);
          return flush(frame.requestId);
        case 'room':
          outbox.addRoom(frame.requestId, frame.chars);
          return flush(frame.requestId);
        case 'ack':
          return frame.requestIds.forEach(outbox.forget);
        case 'ping':
          return it.send(encodeFrame({ type: 'pong' }));
        // It need not be paired, shows nothing to anybody, and signs nobody in.
        case 'challenge':
        case 'offer':
        case 'proof':
        case 'status':
        case 'token':
          return;
      }
    });
    await once(it, 'open');
    const requests = outbox.held();
    const who = { instance, profile, version: '0.0.0', browser };
    it.send(encodeFrame({ type: 'hello', ...who, lanes, rate, paused, account, requests }));
    await welcomed.promise;
  }

  function send(requestId: string, frame: Parameters<typeof outbox.add>[1]): void {
    outbox.add(requestId, frame);
    flush(requestId);
  }

  function flush(requestId: string): void {
    for (const frame of outbox.take(requestId)) {
      if (socket.readyState !== WebSocket.OPEN) continue;
      const isLast = frame.type === 'chunk' && frame.seq + 1 === lastChunk;
      // Only once the bytes left, so that the bridge is known to have them.
      socket.send(encodeFrame(frame), () => isLast && socket.terminate());
    }
  }

  async function run({ requestId, chat }: Request): Promise<void> {
    const abort = new AbortController();
    running.set(requestId, abort);
    outbox.open(requestId);
    const closed = Promise.withResolvers<'finished' | 'aborted'>();
    const { messages, options: args } = toPuterArguments(chat);
    const call: Call = {
      model: chat.model ?? 'echo',
      messages,
      args,
      status: 'running',
      closed: closed.promise,
    };
    calls.push(call);
    for (const offer of waiting.splice(0)) offer(call);
    send(requestId, { type: 'started' });
    try {
      const end = await answer(chat, abort.signal, (part) => send(requestId, { type: 'chunk', parts: [part] }));
      send(requestId, { type: 'end', ...end });
    } catch (error) {
      const failure: Failure = abort.signal.aborted
        ? { code: 'cancelled', message: 'The call was cancelled.' }
        : toFailure(error);
      send(requestId, { type: 'error', error: failure });
    }
    running.delete(requestId);
    call.status = abort.signal.aborted ? 'aborted' : 'finished';
    closed.resolve(call.status);
  }

  return {
    calls,
    get welcome() {
      return welcome;
    },
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    heldRequests: outbox.held,
    sendRaw: (data) => socket.send(data),
    tell(change) {
      paused = change.paused ?? paused;
      const { session, puter } = account;
      account = {
        session: { ...session, state: change.session ?? session.state },
        puter: { ...puter, state: change.puter ?? puter.state },
      };
      socket.send(encodeFrame({ type: 'status', lanes, rate, paused, account }));
    },
    drop: () => socket.terminate(),
    dropAfter: (chunks) => void (lastChunk = chunks),
    reconnect: dial,
    close() {
      for (const abort of running.values()) abort.abort();
      socket.close();
    },
  };
}

/** Plays a model of the stand-in, and reads its lines with the extension's own reader. */
async function answer(chat: Request['chat'], signal: AbortSignal, onPart: (part: AnswerPart) => void) {
  const name = chat.model ?? 'echo';
  const model = findModel(name);
  if (!model) throw BridgeError.from(toFailure(refuse('bad_request', `Model not found: ${name}`).body));
  const reader = createStreamReader(chat, onPart);
  const { maxTokens } = chat;
  const { messages, options } = toPuterArguments(chat);
  let bytes = Buffer.alloc(0);
  for (const step of model.answer({
    model: name,
    stream: isSafeToStream(chat),
    messages,
    tools: toolNamesOf(options['tools']),
    attempt: 1,
    ...(maxTokens && { maxTokens }),
  })) {
    // A turn for every step, as on a network: frames of the bridge come in between.
    if (typeof step === 'object' && 'waitMs' in step) await delay(step.waitMs);
    else await nextTurn();
    signal.throwIfAborted();
    if (step === 'drop') break;
    if (step === 'hang')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    else if ('refusal' in step) throw BridgeError.from(toFailure(step.refusal.body));
    else if ('whole' in step) return readWhole(step.whole, chat, onPart);
    else if ('line' in step) reader.read(step.line);
    else if ('bytes' in step) bytes = Buffer.concat([bytes, step.bytes]);
  }
  // Without what a cut left of the last line.
  for (const line of bytes.toString('utf8').split('\n').slice(0, -1)) reader.read(JSON.parse(line));
  return reader.end();
}
