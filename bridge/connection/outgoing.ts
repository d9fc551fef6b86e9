import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import { encodeFrame, type FrameToExtension } from '#shared/protocol.ts';

import { atMostEvery } from '../at-most-every.ts';
import { onceATurn } from '../once-a-turn.ts';

/**
 * What goes out by one socket: at the end of a turn of the event loop, in one write with all else of that turn that has
 * not left yet. Nobody waits for an `ack`, so that those of `ackMs` go together.
 */
export interface Outgoing {
  send(frame: FrameToExtension): void;
  /** Not only at the end of the turn, but now, with what was sent before it. */
  sendNow(frame: FrameToExtension): void;
  /** The acknowledgements, too. */
  flush(): void;
}

/** How long one waits for others, in milliseconds. A call that is turned away goes to the same extension again much later. */
const ackMs = 20;

/** `stream` is what `socket` writes to. `beforeSend` is called first, and what throws there is not sent. */
export function createOutgoing(
  socket: Pick<WebSocket, 'send'>,
  stream: Pick<Duplex, 'cork' | 'uncork'>,
  beforeSend: () => void,
): Outgoing {
  let frames: FrameToExtension[] = [];
  let acknowledged: string[] = [];

  function write(): void {
    if (frames.length === 0) return;
    const all = frames;
    frames = [];
    beforeSend();
    stream.cork();
    for (const frame of all) socket.send(encodeFrame(frame));
    stream.uncork();
  }

  function flush(): void {
    if (acknowledged.length > 0) frames.push({ type: 'ack', requestIds: acknowledged });
    acknowledged = [];
    write();
  }

  const writeLater = onceATurn(write);
  const flushLater = atMostEvery(ackMs, flush);
  return {
    send(frame) {
      if (frame.type === 'ack') {
        acknowledged.push(...frame.requestIds);
        flushLater();
      } else {
        frames.push(frame);
        writeLater();
      }
    },
    sendNow(frame) {
      frames.push(frame);
      write();
    },
    flush,
  };
}
