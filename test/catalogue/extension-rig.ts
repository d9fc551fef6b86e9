import type { Failure } from '#shared/errors.ts';
import { decodeFrameToExtension, type Frame, type FrameToBridge, type FrameToExtension } from '#shared/protocol.ts';

import { greet, type Client } from '../bridge/connection/connections-rig.ts';

/** An extension that says what the test tells it to say, and nothing else. Without a word it does not even answer pings. */
export interface TestExtension {
  readonly client: Client;
  readonly welcome: Frame<FrameToExtension, 'welcome'>;
  /** The ids of all that it was sent of one type, in order, as far as it was read. */
  readonly requests: readonly string[];
  readonly cancels: readonly string[];
  /** The id in the next frame of that type; those of other types stay for later. */
  next(type: 'request' | 'cancel' | 'ack'): Promise<string>;
  /** From now on answers pings; resolves at so many. */
  pong(count: number): Promise<void>;
  /** So many pings came, which nobody answered. */
  pings(count: number): Promise<void>;
  start(requestId: string): void;
  chunk(requestId: string, seq: number, text: string): void;
  end(requestId: string, seq: number): void;
  fail(requestId: string, error: Failure): void;
  /** All of it: started, one piece, the end. */
  answer(requestId: string, text: string): void;
  /** The same instance, on another line; `held`: what it says that it still holds. */
  again(held: readonly string[], change?: Parameters<typeof greet>[1]): Promise<TestExtension>;
  /** Cuts the line without a goodbye. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** An `ack` for each id, however many come together. */
type Received = Exclude<FrameToExtension, { type: 'ack' }> | { type: 'ack'; requestId: string };

/** Resolves once it is welcome. By itself each is one of its own. */
export async function connectExtension(url: string, change: Parameters<typeof greet>[1] = {}): Promise<TestExtension> {
  const who = { instance: crypto.randomUUID(), profile: crypto.randomUUID(), ...change };
  const client = await greet(url, who);
  const welcome = await client.next();
  if (welcome.type !== 'welcome') throw new Error(`A ${welcome.type} came instead of a welcome.`);
  const requests: string[] = [];
  const cancels: string[] = [];
  const kept: Received[] = [];
  const send = (frame: FrameToBridge) => client.send(frame);

  async function find(type: Received['type']): Promise<Received> {
    for (;;) {
      const at = kept.findIndex((frame) => frame.type === type);
      const [found] = at < 0 ? [] : kept.splice(at, 1);
      if (found) return found;
      const frame = await client.next();
      if (frame.type === 'request') requests.push(frame.requestId);
      if (frame.type === 'cancel') cancels.push(frame.requestId);
      if (frame.type === 'ack')
        kept.push(...frame.requestIds.map((requestId) => ({ type: 'ack' as const, requestId })));
      else kept.push(frame);
    }
  }

  const extension: TestExtension = {
    client,
    welcome,
    requests,
    cancels,
    async next(type) {
      const frame = await find(type);
      return 'requestId' in frame ? frame.requestId : '';
    },
    pong: (count) =>
      new Promise((resolve) => {
        let pings = 0;
        client.socket.on('message', (data: Buffer) => {
          if (decodeFrameToExtension(data.toString('utf8')).type !== 'ping') return;
          send({ type: 'pong' });
          if ((pings += 1) === count) resolve();
        });
      }),
    async pings(count) {
      for (let ping = 0; ping < count; ping += 1) await find('ping');
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
    again: (held, change) => connectExtension(url, { ...who, requests: [...held], ...change }),
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
