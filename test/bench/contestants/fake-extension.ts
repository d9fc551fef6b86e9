/**
 * The extension without a browser, for bridges that are measured: `fake-extension.js KIND URL`. It answers at once, checks
 * and keeps nothing, since it is not what is measured, and sends what comes in one turn in one frame, as ours does
 * (`batched`), or each text in a frame of its own (`unbatched`).
 */

import type { Duplex } from 'node:stream';

import { WebSocket } from 'ws';

import type { AnswerPart } from '#shared/chat.ts';
import { extensionOrigin } from '#shared/extension-id.ts';
import {
  maxUnreadChars,
  subprotocol,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';

import { answer } from './answers.ts';
import type { BareFrame } from './bare.ts';

const [kind = '', url = ''] = process.argv.slice(2);
const address = url.replace('http', 'ws');
const read = (data: WebSocket.RawData): unknown => JSON.parse((data as Buffer).toString('utf8'));

if (kind === 'bare') speakBare();
else speakToBridge(kind === 'unbatched');

interface BareRequest {
  id: number;
  body: { model?: string; stream?: boolean };
}

function speakBare(): void {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  const send = (frame: BareFrame) => socket.send(JSON.stringify(frame));
  async function take({ id, body }: BareRequest): Promise<void> {
    let whole = '';
    for await (const turn of answer(body.model ?? '')) {
      if (body.stream) for (const text of turn) send({ id, type: 'chunk', text });
      else whole += turn.join('');
    }
    send({ id, type: 'end', text: whole });
  }
  socket.on('message', (data) => void take(read(data) as BareRequest));
  socket.on('open', () => console.log('ready'));
}

function speakToBridge(isUnbatched: boolean): void {
  const socket = new WebSocket(`${address}/ws`, subprotocol, { origin: extensionOrigin, perMessageDeflate: false });
  const rooms = new Map<string, Room>();
  let stream: Duplex | undefined;
  let atEndOfTurn: (() => void)[] = [];
  const send = (frame: FrameToBridge) => socket.send(JSON.stringify(frame));
  socket.on('upgrade', (response) => void (stream = response.socket));
  socket.on('message', (data) => {
    const frame = read(data) as FrameToExtension;
    switch (frame.type) {
      case 'challenge':
        return send(hello());
      case 'welcome':
        return console.log('ready');
      case 'request':
        return void take(frame);
      case 'room':
        return rooms.get(frame.requestId)?.add(frame.chars);
      case 'cancel':
        return send({ ...frame, type: 'error', error: { code: 'cancelled', message: 'It was cancelled.' } });
      case 'ping':
        return send({ type: 'pong' });
      // It keeps nothing, shows nothing to anybody, and signs nobody in.
      case 'ack':
      case 'offer':
      case 'proof':
      case 'status':
      case 'token':
        return;
    }
  });

  /** What is to be sent leaves together, so that how this program writes is not what is measured. */
  function endTurnWith(step: () => void): void {
    if (atEndOfTurn.push(step) > 1) return;
    stream?.cork();
    // Before a tick comes whatever the promises have to say; an immediate would keep it back for other requests.
    queueMicrotask(() =>
      process.nextTick(() => {
        const steps = atEndOfTurn;
        for (const step of steps) step();
        atEndOfTurn = [];
        stream?.uncork();
      }),
    );
  }

  async function take({ requestId, chat }: Frame<FrameToExtension, 'request'>): Promise<void> {
    const room = new Room();
    let parts: AnswerPart[] = [];
    let seq = 0;
    function sendChunk(these: AnswerPart[]): void {
      send({ type: 'chunk', requestId, seq, parts: these });
      seq += 1;
    }
    function sendTurn(): void {
      if (parts.length > 0) sendChunk(parts);
      parts = [];
    }
    rooms.set(requestId, room);
    endTurnWith(() => send({ type: 'started', requestId }));
    for await (const turn of answer(chat.model ?? '')) {
      for (const text of isUnbatched ? turn : [turn.join('')]) {
        if (isUnbatched) endTurnWith(() => sendChunk([{ type: 'text', text }]));
        else {
          // Ours joins what comes in one turn (lanes/batch.ts).
          parts.push({ type: 'text', text });
          endTurnWith(sendTurn);
        }
        const more = room.take(text.length);
        if (more) await more;
      }
    }
    rooms.delete(requestId);
    const rest = parts;
    parts = [];
    const usage = { inputTokens: 1, outputTokens: 1 };
    endTurnWith(() => send({ type: 'end', requestId, seq, parts: rest, finishReason: 'stop', model: 'fake', usage }));
  }
}

/** How far an answer may run ahead of its caller. */
class Room {
  #chars = maxUnreadChars;
  #add: (() => void) | undefined;

  /** Where there is none left: until there is more. */
  take(chars: number): Promise<void> | undefined {
    this.#chars -= chars;
    return this.#chars > 0 ? undefined : new Promise((resolve) => (this.#add = resolve));
  }

  add(chars: number): void {
    this.#chars += chars;
    if (this.#chars > 0) this.#add?.();
  }
}

/** With as many lanes as there may be, and a rate that is none. */
function hello(): Frame<FrameToBridge, 'hello'> {
  const fact = { since: Date.now(), until: null };
  return {
    type: 'hello',
    instance: crypto.randomUUID(),
    profile: crypto.randomUUID(),
    version: '0.0.0',
    browser: 'Fake 1',
    lanes: 64,
    rate: 100_000,
    paused: false,
    account: {
      session: { ...fact, state: 'signed_in', detail: 'fake' },
      puter: { ...fact, state: 'reachable', detail: null },
    },
    requests: [],
  };
}
