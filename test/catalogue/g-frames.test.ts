import { connect } from 'node:net';
import { deflateRawSync } from 'node:zlib';

import { describe, expect, it, onTestFinished } from 'vitest';

import { closeCodes, encodeFrame, maxFrameBytes } from '#shared/protocol.ts';

import {
  account,
  closeCodeFor,
  greet,
  hello,
  open,
  rawFrame,
  upgradeHead,
  type Client,
} from '../bridge/connection/connections-rig.ts';
import { canary, useBridge } from './bridge-rig.ts';

/** Frames that break the rules. What a peer may say too late, twice or too much, stands in g-answers.test.ts. */

const rig = useBridge();

/** A peer that was welcomed, of a profile of its own, with no lane that a call could be given to. */
async function welcomed(): Promise<Client> {
  const ids = { instance: crypto.randomUUID(), profile: crypto.randomUUID() };
  const client = await greet(rig.bridge.url, { ...ids, paused: true });
  expect(await client.next()).toMatchObject({ type: 'welcome' });
  return client;
}

/** How the bridge closes both, and that the one extension is then left that was there before. */
async function closedAfter(data: string | Buffer): Promise<number[]> {
  const clients = [await open(rig.bridge.url), await welcomed()];
  for (const { socket } of clients) socket.send(data);
  const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
  expect(rig.bridge.status.read().extensions.map(({ browser }) => browser)).toEqual(['Fake 1']);
  return codes;
}
const both = (code: number) => [code, code];

it.each([
  'hello',
  '',
  'null',
  '[]',
  '5',
  '"x"',
  '{}',
  '{"type":5}',
  '{"type":"hello"}',
  '{"__proto__":{"type":"pong"}}',
])('G1 the text %j closes the socket', async (text) => {
  expect(await closedAfter(text)).toEqual(both(closeCodes.badFrame));
});

it('G1 what comes in one piece with a frame that closes the socket does not count', async () => {
  const client = await open(rig.bridge.url);
  client.socket.send('garbage');
  client.send(hello());
  expect(await client.closed).toMatchObject({ code: closeCodes.badFrame });
  expect(client.left()).toEqual([]);
});

it('G2 a binary frame closes the socket', async () => {
  expect(await closedAfter(Buffer.from(encodeFrame(hello())))).toEqual(both(closeCodes.binaryFrame));
});

describe('bytes that break the rules of WebSocket', () => {
  const text = Buffer.from('{}');
  const bomb = deflateRawSync(Buffer.alloc(60 * 1024 * 1024));
  it.each([
    ['G3', 'not UTF-8', 1007, rawFrame(0x81, Buffer.from([0xff, 0xfe]))],
    ['G3', 'half of a character', 1007, rawFrame(0x81, Buffer.from([0xf0, 0x9f, 0x98]))],
    ['G4', 'not masked', 1002, rawFrame(0x81, text, { masked: false })],
    ['G4', 'compressed without having been agreed', 1002, rawFrame(0xc1, text)],
    ['G4', 'the rest of nothing', 1002, rawFrame(0x80, text)],
    ['G4', 'of a kind that does not exist', 1002, rawFrame(0x83, text)],
    ['G4', 'a close with a code that may not be sent', 1002, rawFrame(0x88, Buffer.from([0x03, 0xed]))],
    ['G4', 'a ping in two pieces', 1002, rawFrame(0x09, text)],
    [
      'G6',
      'announced larger than a frame may be',
      1009,
      rawFrame(0x81, Buffer.alloc(0), { length: maxFrameBytes + 1 }),
    ],
    ['G9', 'a bomb of 60 MB in 60 KB', 1002, rawFrame(0xc1, bomb)],
  ])('%s %s closes the socket', async (_, __, code, bytes) => {
    expect(await closeCodeFor(rig.port, bytes)).toBe(code);
  });

  it('G8 132,000 pieces of one frame close it, long before the last and at once', { timeout: 30_000 }, async () => {
    const piece = Buffer.from('x');
    const pieces = [rawFrame(0x01, piece), ...Array.from({ length: 131_999 }, () => rawFrame(0x00, piece))];
    const before = process.cpuUsage();
    expect(await closeCodeFor(rig.port, Buffer.concat(pieces))).toBe(1008);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(1);
  });

  it('G7 pieces that are together larger than a frame may be close it', { timeout: 30_000 }, async () => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const pieces = [
      rawFrame(0x01, piece),
      ...Array.from({ length: maxFrameBytes / piece.length }, () => rawFrame(0, piece)),
    ];
    expect(await closeCodeFor(rig.port, Buffer.concat(pieces))).toBe(1009);
  });
});

describe('a frame of 1.1 MiB', () => {
  const large = 'x'.repeat(1.1 * 1024 * 1024);

  it('G6 closes the socket where it carries no answer', async () => {
    const pong = JSON.stringify({ type: 'pong', large });
    expect(await closedAfter(pong)).toEqual(both(closeCodes.frameTooLarge));
    const parts = [{ type: 'text' as const, text: large }];
    for (const early of [
      { ...hello(), large },
      { type: 'chunk', requestId: crypto.randomUUID(), seq: 0, parts },
    ]) {
      const peer = await open(rig.bridge.url);
      peer.socket.send(JSON.stringify(early));
      expect(await peer.closed).toMatchObject({ code: closeCodes.frameTooLarge });
    }
  });

  it('G6 may be a piece of an answer, also its last', async () => {
    const client = await welcomed();
    const parts = [{ type: 'text' as const, text: large }];
    client.send({ type: 'chunk', requestId: crypto.randomUUID(), seq: 0, parts });
    const end = { finishReason: 'stop', model: null, usage: null } as const;
    client.send({ type: 'end', requestId: crypto.randomUUID(), seq: 1, parts, ...end });
    client.send({ type: 'status', lanes: 1, rate: 60, paused: true, account });
    client.socket.close();
    expect(await client.closed).toMatchObject({ code: 1005 });
  });
});

it.each(['job', 'unknown', 'HELLO', 'request', 'welcome', 'constructor'])(
  'G10 a frame of the type “%s” closes the socket',
  async (type) => {
    expect(await closedAfter(JSON.stringify({ type }))).toEqual(both(closeCodes.badFrame));
  },
);

it.each([
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['toString', 'toString'],
  ['a number', 5],
  ['a long text', canary.repeat(60_000)],
  ['an array', []],
])('G12 an id that is %s closes the socket', async (_, requestId) => {
  expect(await closedAfter(JSON.stringify({ type: 'started', requestId }))).toEqual(both(closeCodes.badFrame));
});

it('G12 an id that nobody knows is nobody’s', async () => {
  const client = await welcomed();
  const requestId = crypto.randomUUID();
  client.send({ type: 'started', requestId });
  client.send({ type: 'chunk', requestId, seq: 0, parts: [] });
  client.send({ type: 'end', requestId, seq: 1, finishReason: 'stop', model: null, usage: null });
  // So that the extension forgets it.
  expect(await client.next()).toEqual({ type: 'ack', requestIds: [requestId] });
  client.socket.close();
  await client.closed;
});

describe('ten thousand pings', () => {
  it('G21 of ours close the socket', async () => {
    const client = await welcomed();
    for (let count = 0; count < 10_000; count += 1) client.send({ type: 'pong' });
    expect(await client.closed).toMatchObject({ code: closeCodes.tooOften });
  });

  it.each([
    ['pings', 0x89],
    ['pongs', 0x8a],
  ])('G21 of the protocol close the socket: %s', async (_, kind) => {
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => rawFrame(kind, Buffer.alloc(0))));
    const socket = connect(rig.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(Buffer.concat([Buffer.from(upgradeHead(rig.port)), pings]));
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
    // Behind the answers to the first ones.
    const reason = 'Too many pings.';
    await expect.poll(() => received.includes(reason)).toBe(true);
    expect(received.readUInt16BE(received.indexOf(reason) - 2)).toBe(closeCodes.tooOften);
  });

  it('G21 are not twenty, which are welcome', async () => {
    const client = await welcomed();
    for (let count = 0; count < 20; count += 1) client.send({ type: 'pong' });
    client.socket.close(1000);
    expect(await client.closed).toMatchObject({ code: 1000 });
  });
});
