import { once } from 'node:events';

import { WebSocket } from 'ws';

import type { AnswerPart } from '#shared/chat.ts';
import { BridgeError, type Failure } from '#shared/errors.ts';
import { extensionOrigin } from '#shared/extension-id.ts';
import {
  decodeFrameToExtension,
  encodeFrame,
  subprotocol,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';

import { toFailure } from '../../extension/puter/failures.ts';
import { nearestNames } from '../../extension/puter/models.ts';
import { createStreamReader, readWhole } from '../../extension/puter/normalise.ts';
import { listedModels } from '../puter/model-list.ts';
import { findModel } from '../puter/models.ts';
import { refuse } from '../puter/refusals.ts';
import type { Call } from './process-contract.ts';

type Request = Frame<FrameToExtension, 'request'>;

/** A double of the extension: the real wire and the stand-in's models, without a browser between them. */
export interface FakeExtension {
  readonly calls: Call[];
  readonly instance: string;
  /** Of the last welcome. */
  readonly secret: string;
  nextCall(): Promise<Call>;
  /** Whatever a test wants to put on the wire. */
  sendRaw(data: string | Buffer): void;
  /** Cuts the connection without a goodbye; running calls go on. */
  drop(): void;
  /** Dials again as the same instance, and resumes as the bridge asks. */
  reconnect(): Promise<void>;
  close(): void;
}

export async function startFakeExtension(options: {
  bridgeUrl: string;
  lanes?: number;
  signedIn?: boolean;
}): Promise<FakeExtension> {
  const { bridgeUrl, lanes = 3, signedIn = true } = options;
  const instance = crypto.randomUUID();
  const profile = crypto.randomUUID();
  const calls: Call[] = [];
  const running = new Map<string, AbortController>();
  const outbox = new Map<string, FrameToBridge[]>();
  const waiting: ((call: Call) => void)[] = [];
  let secret = '';
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
          secret = frame.secret;
          for (const { requestId, nextSeq } of frame.resume) {
            for (const kept of outbox.get(requestId) ?? []) {
              if (!('seq' in kept) || kept.seq >= nextSeq) it.send(encodeFrame(kept));
            }
          }
          // Only from here on: what was kept goes before what is new.
          socket = it;
          return welcomed.resolve();
        case 'request':
          return void run(frame);
        case 'cancel':
          return running.get(frame.requestId)?.abort();
        case 'ack':
          return void outbox.delete(frame.requestId);
        case 'ping':
          return it.send(encodeFrame({ type: 'pong' }));
      }
    });
    await once(it, 'open');
    const session = signedIn ? 'signed_in' : 'signed_out';
    const puter = { session, username: signedIn ? 'fake' : null, reachable: true } as const;
    const requests = [...outbox.keys()];
    it.send(
      encodeFrame({ type: 'hello', instance, profile, version: '0.0.0', browser: 'Fake 1', lanes, puter, requests }),
    );
    await welcomed.promise;
  }

  function send(frame: FrameToBridge & { requestId: string }): void {
    outbox.set(frame.requestId, [...(outbox.get(frame.requestId) ?? []), frame]);
    if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(frame));
  }

  async function run({ requestId, chat }: Request): Promise<void> {
    const abort = new AbortController();
    running.set(requestId, abort);
    outbox.set(requestId, []);
    const closed = Promise.withResolvers<'finished' | 'aborted'>();
    const args = { ...chat, max_tokens: chat.maxTokens };
    const call: Call = {
      model: chat.model ?? 'echo',
      messages: chat.messages,
      args,
      status: 'running',
      closed: closed.promise,
    };
    calls.push(call);
    for (const offer of waiting.splice(0)) offer(call);
    send({ type: 'started', requestId });
    let seq = 0;
    try {
      const end = await answer(chat, abort.signal, (part) =>
        send({ type: 'chunk', requestId, seq: seq++, parts: [part] }),
      );
      send({ type: 'end', requestId, seq, ...end });
      call.status = 'finished';
    } catch (error) {
      const failure: Failure = abort.signal.aborted
        ? { code: 'cancelled', message: 'The call was cancelled.' }
        : toFailure(error);
      const names = listedModels.flatMap(({ id, aliases = [] }) => [id, ...aliases]);
      const suggestions = failure.code === 'model_not_found' ? { suggestions: nearestNames(call.model, names) } : {};
      send({ type: 'error', requestId, error: { ...failure, ...suggestions } });
      call.status = 'aborted';
    }
    running.delete(requestId);
    closed.resolve(call.status);
  }

  return {
    calls,
    instance,
    get secret() {
      return secret;
    },
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    sendRaw: (data) => socket.send(data),
    drop: () => socket.terminate(),
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
  const { messages, maxTokens } = chat;
  let bytes = Buffer.alloc(0);
  for (const step of model.answer({
    model: name,
    stream: true,
    messages,
    attempt: 1,
    ...(maxTokens && { maxTokens }),
  })) {
    // A turn for every step, as on a network.
    await new Promise((resolve) => setTimeout(resolve, typeof step === 'object' && 'waitMs' in step ? step.waitMs : 0));
    signal.throwIfAborted();
    if (step === 'drop') break;
    if (step === 'hang')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    else if ('refusal' in step) throw BridgeError.from(toFailure(step.refusal.body));
    else if ('whole' in step) return readWhole(step.whole, chat, onPart);
    else if ('line' in step) reader.read(step.line);
    else if ('bytes' in step) bytes = Buffer.concat([bytes, step.bytes]);
  }
  for (const line of bytes.toString('utf8').split('\n').filter(Boolean)) reader.read(JSON.parse(line));
  return reader.end();
}
