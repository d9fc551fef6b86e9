/**
 * The extension without a browser, for bridges that are measured: `fake-extension.js KIND URL`. It answers at once, checks
 * nothing, and otherwise does what ours does: keeps frames for as long as the bridge wants, and sends what comes in one
 * turn in one frame (`bridge`), or each text in a frame of its own (`unbatched`).
 */

import type { Duplex } from 'node:stream';

import { WebSocket } from 'ws';

import type { AnswerPart } from '#shared/chat.ts';
import { extensionOrigin } from '#shared/extension-id.ts';
import { subprotocol, type Frame, type FrameToExtension } from '#shared/protocol.ts';

import { createOutbox } from '../../../extension/relay/outbox.ts';
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
  const outbox = createOutbox();
  let stream: Duplex | undefined;
  let atEndOfTurn: (() => void)[] = [];
  socket.on('upgrade', (response) => void (stream = response.socket));
  socket.on('message', (data) => {
    const frame = read(data) as FrameToExtension;
    switch (frame.type) {
      case 'challenge':
        return socket.send(JSON.stringify(hello()));
      case 'welcome':
        return console.log('ready');
      case 'request':
        return void take(frame);
      case 'room':
        outbox.addRoom(frame.requestId, frame.chars);
        return flush(frame.requestId);
      case 'cancel':
        outbox.add(frame.requestId, { type: 'error', error: { code: 'cancelled', message: 'It was cancelled.' } });
        outbox.skip(frame.requestId);
        return flush(frame.requestId);
      case 'ack':
        return frame.requestIds.forEach(outbox.forget);
      case 'ping':
        return socket.send('{"type":"pong"}');
      // It shows nothing to anybody, and signs nobody in.
      case 'offer':
      case 'proof':
      case 'status':
      case 'token':
        return;
    }
  });

  /** What one request has to send leaves together, so that how this program writes is not what is measured. */
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

  function flush(requestId: string): void {
    endTurnWith(() => {
      for (const frame of outbox.take(requestId)) socket.send(JSON.stringify(frame));
    });
  }

  async function take({ requestId, chat }: Frame<FrameToExtension, 'request'>): Promise<void> {
    function send(frame: Parameters<typeof outbox.add>[1]): void {
      outbox.add(requestId, frame);
      flush(requestId);
    }
    let parts: AnswerPart[] = [];
    outbox.open(requestId);
    send({ type: 'started' });
    for await (const turn of answer(chat.model ?? '')) {
      if (isUnbatched) for (const text of turn) send({ type: 'chunk', parts: [{ type: 'text', text }] });
      else {
        // Ours joins what comes in one turn (lanes/batch.ts).
        parts.push({ type: 'text', text: turn.join('') });
        endTurnWith(() => {
          if (parts.length > 0) send({ type: 'chunk', parts });
          parts = [];
        });
      }
    }
    send({ type: 'end', parts, finishReason: 'stop', model: 'fake', usage: { inputTokens: 1, outputTokens: 1 } });
    parts = [];
  }
}

/** With as many lanes as there may be, and a rate that is none. */
function hello(): object {
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
