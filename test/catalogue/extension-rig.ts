import type { Failure } from '#shared/errors.ts';
import type { Frame, FrameToBridge, FrameToExtension } from '#shared/protocol.ts';

import { greet, type Client } from '../bridge/connection/connections-rig.ts';

/** An extension that says what the test tells it to say, and nothing else, not even a pong. */
export interface TestExtension {
  readonly client: Client;
  readonly welcome: Frame<FrameToExtension, 'welcome'>;
  /** The ids of all requests that it was sent, in order. */
  readonly requests: readonly string[];
  /** The id in the next frame of that type; those of other types stay for later. */
  next(type: 'request' | 'cancel' | 'ack'): Promise<string>;
  /** Waits for a ping, and answers it. */
  pong(): Promise<void>;
  start(requestId: string): void;
  chunk(requestId: string, seq: number, text: string): void;
  end(requestId: string, seq: number): void;
  fail(requestId: string, error: Failure): void;
  /** All of it: started, one piece, the end. */
  answer(requestId: string, text: string): void;
  /** The same instance, on another line; `held`: what it says that it still holds. */
  again(held: readonly string[]): Promise<TestExtension>;
  /** Cuts the line without a goodbye. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** Resolves once it is welcome. By itself each is one of its own. */
export async function connectExtension(url: string, change: Parameters<typeof greet>[1] = {}): Promise<TestExtension> {
  const who = { instance: crypto.randomUUID(), profile: crypto.randomUUID(), ...change };
  const client = await greet(url, who);
  const welcome = await client.next();
  if (welcome.type !== 'welcome') throw new Error(`A ${welcome.type} came instead of a welcome.`);
  const requests: string[] = [];
  const kept: FrameToExtension[] = [];
  const send = (frame: FrameToBridge) => client.send(frame);

  async function find(type: FrameToExtension['type']): Promise<FrameToExtension> {
    for (;;) {
      const at = kept.findIndex((frame) => frame.type === type);
      const [found] = at < 0 ? [] : kept.splice(at, 1);
      if (found) return found;
      const frame = await client.next();
      if (frame.type === 'request') requests.push(frame.requestId);
      kept.push(frame);
    }
  }

  const extension: TestExtension = {
    client,
    welcome,
    requests,
    async next(type) {
      const frame = await find(type);
      return 'requestId' in frame ? frame.requestId : '';
    },
    async pong() {
      await find('ping');
      send({ type: 'pong' });
    },
    start: (requestId) => send({ type: 'started', requestId }),
    chunk: (requestId, seq, text) => send({ type: 'chunk', requestId, seq, parts: [{ type: 'text', text }] }),
    end: (requestId, seq) => send({ type: 'end', requestId, seq, finishReason: 'stop', model: 'm', usage: null }),
    fail: (requestId, error) => send({ type: 'error', requestId, error }),
    answer(requestId, text) {
      extension.start(requestId);
      extension.chunk(requestId, 0, text);
      extension.end(requestId, 1);
    },
    again: (requests) => connectExtension(url, { ...who, requests: [...requests] }),
    async drop() {
      client.socket.terminate();
      await client.closed;
    },
    async close() {
      client.socket.close();
      await client.closed;
    },
  };
  return extension;
}
