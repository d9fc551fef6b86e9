import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import { encodeFrame, type FrameToExtension } from '#shared/protocol.ts';

import { atMostEvery } from '../at-most-every.ts';
import { onceATurn } from '../once-a-turn.ts';

/**
 * What goes out by one socket: at the end of a turn of the event loop, everything of that turn in one write. Nobody waits
 * for an `ack`, which goes with whatever goes next.
 */
export interface Outgoing {
  send(frame: FrameToExtension): void;
  /** Not only at the end of the turn, but now. */
  flush(): void;
}

/** How long it may wait for that, in milliseconds. */
const ackMs = 20;

/** `stream` is what `socket` writes to. `beforeSend` is called first, and what throws there is not sent. */
export function createOutgoing(socket: WebSocket, stream: Duplex, beforeSend: () => void): Outgoing {
  let frames: FrameToExtension[] = [];

  function flush(): void {
    if (frames.length === 0) return;
    const all = frames;
    frames = [];
    beforeSend();
    stream.cork();
    for (const frame of all) socket.send(encodeFrame(frame));
    stream.uncork();
  }

  const flushLater = onceATurn(flush);
  const flushSoon = atMostEvery(ackMs, flush);
  return {
    send(frame) {
      frames.push(frame);
      if (frame.type === 'ack') flushSoon();
      else flushLater();
    },
    flush,
  };
}
