import type { WebSocket } from 'ws';

import {
  closeCodes,
  decodeFrameToBridge,
  encodeFrame,
  FrameError,
  heartbeatMs,
  type Frame,
  type FrameToBridge,
} from '#shared/protocol.ts';

import type { Limits } from '../limits.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createPingCount } from './ping-count.ts';

type Hello = Frame<FrameToBridge, 'hello'>;
type Receive = (frame: Exclude<FrameToBridge, { type: 'hello' | 'pong' }>) => void;

/** Looks after one socket: a hello in time, then frames that are frames, and a peer that lives. Else it is closed. */
export function attend(
  socket: WebSocket,
  options: {
    limits: Limits;
    /** Returns who takes the frames that follow. */
    onHello: (hello: Hello) => Receive;
    /** Once, as soon as the socket is of no more use; the peer may keep it a moment longer. */
    onEnd: () => void;
  },
): void {
  const { limits, onHello, onEnd } = options;
  const helloTimer = setTimeout(() => end(closeCodes.handshakeTimeout, 'No hello came.'), limits.helloTimeoutMs);
  const isPingWelcome = createPingCount(limits.maxPingsPerSecond, () => performance.now());
  const heartbeat = startHeartbeat({
    intervalMs: heartbeatMs,
    ping: () => socket.send(encodeFrame({ type: 'ping' })),
    giveUp: () => socket.terminate(),
  });
  let receive: Receive | undefined;
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

  function take(frame: FrameToBridge, isLarge: boolean): void {
    if (isLarge && frame.type !== 'chunk' && frame.type !== 'models') return end(closeCodes.frameTooLarge, tooLarge);
    if (frame.type === 'hello' && !receive) {
      clearTimeout(helloTimer);
      receive = onHello(frame);
    } else if (frame.type === 'hello' || !receive) {
      end(closeCodes.badFrame, 'A connection begins with one hello.');
    } else if (frame.type === 'pong') {
      countPing();
    } else {
      receive(frame);
    }
  }
  function countPing(): void {
    if (!isPingWelcome()) end(closeCodes.tooManyPings, 'Too many pings.');
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
    let frame: FrameToBridge;
    try {
      frame = decodeFrameToBridge(bytes.toString('utf8'));
    } catch (error) {
      return end(closeCodes.badFrame, (error instanceof FrameError ? error.message : 'Not a frame.').slice(0, 120));
    }
    take(frame, isLarge);
  });
}

const tooLarge = 'Only an answer or a list of models may be so large.';

/** A peer that does not answer the close would keep its socket, and with it the process. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), 1000).unref();
  socket.once('close', () => clearTimeout(timer));
}
