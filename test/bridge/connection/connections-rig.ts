import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

import { WebSocket } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import type { AccountState } from '#shared/hops.ts';
import {
  decodeFrameToExtension,
  encodeFrame,
  subprotocol,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';

export const ids = {
  instance: '0190a8f0-0000-7000-8000-000000000001',
  otherInstance: '0190a8f0-0000-7000-8000-000000000002',
  profile: '0190a8f0-0000-7000-8000-00000000000a',
  otherProfile: '0190a8f0-0000-7000-8000-00000000000b',
};

const fact = { since: 0, until: null, detail: null };
export const account: AccountState = {
  session: { ...fact, state: 'signed_in', detail: 'ada' },
  puter: { ...fact, state: 'reachable' },
};

export const hello = (change: Partial<Frame<FrameToBridge, 'hello'>> = {}): FrameToBridge => ({
  type: 'hello',
  instance: ids.instance,
  profile: ids.profile,
  version: '1.0.0',
  browser: 'Chrome 156',
  lanes: 3,
  rate: 30,
  paused: false,
  account,
  requests: [],
  ...change,
});

export interface Client {
  socket: WebSocket;
  send(frame: FrameToBridge): void;
  /** What the bridge began with. */
  challenge: Promise<Frame<FrameToExtension, 'challenge'>>;
  /** The next frame that was not asked for yet; what the bridge tells of itself has a line of its own. */
  next(): Promise<FrameToExtension>;
  nextStatus(): Promise<Frame<FrameToExtension, 'status'>>;
  /** Frames that nobody asked for yet. */
  left(): FrameToExtension[];
  /** How the bridge closed it. */
  closed: Promise<{ code: number; reason: string }>;
}

/** A socket that is open; rejects with `ws`'s error where the upgrade is refused. */
export async function open(
  url: string,
  options: { origin?: string | null; protocols?: string[]; path?: string } = {},
): Promise<Client> {
  const { origin = extensionOrigin, protocols = [subprotocol], path = '/ws' } = options;
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, origin === null ? {} : { origin });
  const challenges = createLine<Frame<FrameToExtension, 'challenge'>>();
  const others = createLine<FrameToExtension>();
  const statuses = createLine<Frame<FrameToExtension, 'status'>>();
  socket.on('message', (data: Buffer) => {
    const frame = decodeFrameToExtension(data.toString('utf8'));
    if (frame.type === 'status') statuses.add(frame);
    else if (frame.type === 'challenge') challenges.add(frame);
    else others.add(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  socket.on('error', () => {});
  return {
    socket,
    send: (frame) => socket.send(encodeFrame(frame)),
    challenge: challenges.next(),
    next: others.next,
    nextStatus: statuses.next,
    left: () => [...others.left, ...statuses.left],
    closed,
  };
}

function createLine<F>(): { add(frame: F): void; next(): Promise<F>; left: F[] } {
  const left: F[] = [];
  const waiting: ((frame: F) => void)[] = [];
  return {
    left,
    add(frame) {
      const next = waiting.shift();
      if (next) next(frame);
      else left.push(frame);
    },
    next() {
      const frame = left.shift();
      return frame ? Promise.resolve(frame) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

export async function greet(url: string, change: Parameters<typeof hello>[0] = {}): Promise<Client> {
  const client = await open(url);
  client.send(hello(change));
  return client;
}

/** The headers of an upgrade request as the extension sends it, without Host; `changes` take the place of their like. */
export function upgradeLines(changes: readonly string[] = []): string[] {
  const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase();
  const changed = new Set(changes.map(nameOf));
  const lines = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
    `Origin: ${extensionOrigin}`,
  ];
  return [...lines.filter((line) => !changed.has(nameOf(line))), ...changes];
}

/** The head of an upgrade request, for sockets that then break the rules of the protocol. */
export const upgradeHead = (port: number): string =>
  ['GET /ws HTTP/1.1', `Host: 127.0.0.1:${port}`, ...upgradeLines(), '', ''].join('\r\n');

/** Upgrades by hand, sends `bytes`, and returns the code of the close frame that comes back. */
export async function closeCodeFor(port: number, bytes: Buffer): Promise<number | undefined> {
  const socket: Socket = connect(port, '127.0.0.1');
  // In one packet with the handshake: what comes early is read too.
  socket.write(Buffer.concat([Buffer.from(upgradeHead(port)), bytes]));
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    let frames = received.subarray(received.indexOf('\r\n\r\n') + 4);
    // The bridge begins with a challenge.
    while (frames[0] === 0x81 && frames.length > 4) frames = frames.subarray(sizeOf(frames));
    if (frames[0] === 0x88 && frames.length >= 4) {
      socket.destroy();
      return frames.readUInt16BE(2);
    }
  }
  return undefined;
}

/** Of the first frame of a server, with its head. */
function sizeOf(frames: Buffer): number {
  const [, length = 0] = frames;
  return length < 126 ? 2 + length : 4 + frames.readUInt16BE(2);
}

/** A frame as the wire has it; the mask is zero, so that the payload reads as it is. */
export function rawFrame(firstByte: number, payload: Buffer, { masked = true, length = payload.length } = {}): Buffer {
  const head = Buffer.alloc(10);
  head[0] = firstByte;
  head[1] = 127 | (masked ? 0x80 : 0);
  head.writeBigUInt64BE(BigInt(length), 2);
  const short = Buffer.from([firstByte, length | (masked ? 0x80 : 0)]);
  return Buffer.concat([length < 126 ? short : head, ...(masked ? [Buffer.alloc(4)] : []), payload]);
}
