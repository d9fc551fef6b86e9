import type { WebSocket } from 'ws';

import {
  closeCodes,
  decodeFrameToBridge,
  encodeFrame,
  FrameError,
  type Frame,
  type FrameToBridge,
} from '#shared/protocol.ts';

import type { Limits } from '../limits.ts';
import type { Gate, Verdict } from '../pairing/gate.ts';
import type { Pairing } from '../pairing/pairings.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createPingCount } from './ping-count.ts';

type Hello = Frame<FrameToBridge, 'hello'>;
/** What only comes before the hello. */
type Introduction = 'knock' | 'pair' | 'auth' | 'hello';
export type Receive = (frame: Exclude<FrameToBridge, { type: Introduction | 'pong' }>) => void;

/** Looks after one socket: a hello in time that the gate lets through, then frames that are frames, and a peer that lives. */
export function attend(
  socket: WebSocket,
  options: {
    limits: Limits;
    gate: Gate;
    /** Returns who takes the frames that follow; null where it closed the socket instead. */
    onHello: (hello: Hello, pairing: Pairing | null) => Receive | null;
    /** Once, as soon as the socket is of no more use; the peer may keep it a moment longer. */
    onEnd: () => void;
    onUnexpected: (error: unknown) => void;
  },
): void {
  const { limits, gate, onHello, onEnd, onUnexpected } = options;
  const helloTimer = setTimeout(() => end(closeCodes.handshakeTimeout, 'No hello came.'), limits.helloTimeoutMs);
  const isPingWelcome = createPingCount(limits.maxPingsPerSecond, now);
  const heartbeat = startHeartbeat({
    intervalMs: limits.heartbeatMs,
    now,
    ping: () => socket.send(encodeFrame({ type: 'ping' })),
    giveUp: () => socket.terminate(),
  });
  let receive: Receive | null = null;
  let hasEnded = false;

  function leave(): void {
    if (hasEnded) return;
    hasEnded = true;
    clearTimeout(helloTimer);
    heartbeat.stop();
    onEnd();
  }
  function end(code: number, reason: string): void {
    leave();
    closeSocket(socket, code, reason);
  }

  function introduce(verdict: Verdict): void {
    switch (verdict.type) {
      case 'answered':
        return socket.send(encodeFrame(verdict.frame));
      case 'refused':
        return end(verdict.code, verdict.reason);
      case 'admitted':
        clearTimeout(helloTimer);
        receive = onHello(verdict.hello, verdict.pairing);
        if (!receive) leave();
    }
  }

  function take(frame: FrameToBridge | FrameError, isLarge: boolean, receive: Receive): void {
    if (frame instanceof FrameError) return end(closeCodes.badFrame, frame.message);
    if (isLarge && !mayBeLarge.has(frame.type)) return end(closeCodes.frameTooLarge, tooLarge);
    if (frame.type === 'pong') return countPing();
    if (frame.type === 'knock' || frame.type === 'pair' || frame.type === 'auth' || frame.type === 'hello') {
      return end(closeCodes.badFrame, 'A connection begins with one hello.');
    }
    receive(frame);
  }

  function countPing(): void {
    if (!isPingWelcome()) end(closeCodes.tooOften, 'Too many pings.');
  }

  socket.on('close', leave);
  socket.on('ping', countPing);
  socket.on('pong', countPing);
  socket.on('message', (data, isBinary) => {
    // What came in one piece with the frame that ended it.
    if (hasEnded) return;
    if (isBinary) return end(closeCodes.binaryFrame, 'Frames are JSON text.');
    heartbeat.heard();
    // ws hands text frames over as one Buffer unless told otherwise.
    const bytes = data as Buffer;
    const isLarge = bytes.length > limits.maxControlFrameBytes;
    if (isLarge && !receive) return end(closeCodes.frameTooLarge, tooLarge);
    const frame = read(bytes.toString('utf8'));
    if (receive) return take(frame, isLarge, receive);
    try {
      introduce(gate.receive(frame));
    } catch (error) {
      // Whatever it is, it ends one connection, and not the bridge.
      end(closeCodes.unexpected, 'The bridge met something unexpected.');
      onUnexpected(error);
    }
  });
  socket.send(encodeFrame(gate.challenge));
}

const now = () => performance.now();
const mayBeLarge: ReadonlySet<FrameToBridge['type']> = new Set(['chunk', 'end', 'models']);
const tooLarge = 'Only an answer or a list of models may be so large.';

/** A peer that does not answer the close would keep its socket, and with it the process. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason.slice(0, 120));
  const timer = setTimeout(() => socket.terminate(), 1000).unref();
  socket.once('close', () => clearTimeout(timer));
}

function read(text: string): FrameToBridge | FrameError {
  try {
    return decodeFrameToBridge(text);
  } catch (error) {
    return error instanceof FrameError ? error : new FrameError('Not a frame.', { cause: error });
  }
}
