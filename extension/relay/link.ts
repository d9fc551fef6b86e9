import {
  closeCodes,
  decodeFrameToExtension,
  encodeFrame,
  heartbeatMs,
  subprotocol,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';

import type { BridgeState } from '../state.ts';
import { backoffMs } from './backoff.ts';

/** The socket to the bridge, dialled for ever. */
export interface Link {
  /** Does nothing before the welcome and after the end: `onWelcome` is where frames are sent again. */
  send(frame: FrameToBridge): void;
  isOpen(): boolean;
  close(): void;
}

export interface LinkOptions {
  port: number;
  hello: () => Frame<FrameToBridge, 'hello'>;
  onWelcome: (frame: Frame<FrameToExtension, 'welcome'>) => void;
  onFrame: (frame: Exclude<FrameToExtension, { type: 'welcome' | 'ping' }>) => void;
  onState: (state: BridgeState) => void;
}

const probeTimeoutMs = 2000;

export function startLink(options: LinkOptions): Link {
  const { port, hello, onWelcome, onFrame, onState } = options;
  // The literal address: `localhost` may be ::1, where another program can listen on the same port.
  const address = `127.0.0.1:${port}`;
  const stop = new AbortController();
  let open: WebSocket | undefined;

  async function dialForEver(): Promise<void> {
    onState({ status: 'connecting' });
    for (let attempt = 0; ; attempt += 1) {
      const { wasOpen, reason } = await dialOnce();
      if (stop.signal.aborted) return;
      onState({ status: 'disconnected', reason });
      if (wasOpen) attempt = 0;
      await sleep(backoffMs(attempt, Math.random), stop.signal);
      if (stop.signal.aborted) return;
    }
  }

  async function dialOnce(): Promise<{ wasOpen: boolean; reason: string }> {
    // Browsers hold back sockets that keep failing, and say nothing about why; a fetch they do not.
    const obstacle = await probe(address, stop.signal);
    return obstacle === null ? holdSocket() : { wasOpen: false, reason: obstacle };
  }

  /** One socket from dialling to its end. */
  function holdSocket(): Promise<{ wasOpen: boolean; reason: string }> {
    const { promise, resolve } = Promise.withResolvers<{ wasOpen: boolean; reason: string }>();
    const socket = new WebSocket(`ws://${address}/ws`, subprotocol);
    const events = new AbortController();
    const { signal } = events;
    let wasOpen = false;
    let silence = setTimeout(giveUp, heartbeatMs);

    function finish(reason: string): void {
      clearTimeout(silence);
      events.abort();
      if (open === socket) open = undefined;
      resolve({ wasOpen, reason });
    }
    function giveUp(): void {
      socket.close();
      finish(`The bridge on ${address} has stopped answering.`);
    }
    function refuse(): void {
      socket.close(closeCodes.badFrame, 'Not a frame.');
      finish(`What listens on ${address} does not speak the language of Puter Bridge.`);
    }

    stop.signal.addEventListener('abort', () => socket.close(1000), { signal });
    socket.addEventListener('open', () => socket.send(encodeFrame(hello())), { signal });
    socket.addEventListener('close', (event) => finish(closeReason(event, wasOpen, address)), { signal });
    socket.addEventListener(
      'message',
      ({ data }: MessageEvent<unknown>) => {
        // The bridge pings every heartbeat; silence for longer means that the connection is dead.
        clearTimeout(silence);
        silence = setTimeout(giveUp, heartbeatMs * 2.5);
        const frame = read(data);
        if (!frame) return refuse();
        if (frame.type === 'ping') return socket.send(encodeFrame({ type: 'pong' }));
        if (frame.type !== 'welcome') return wasOpen ? onFrame(frame) : refuse();
        wasOpen = true;
        open = socket;
        onState({ status: 'connected' });
        onWelcome(frame);
      },
      { signal },
    );
    return promise;
  }

  void dialForEver();
  return {
    send(frame) {
      if (open?.readyState === WebSocket.OPEN) open.send(encodeFrame(frame));
    },
    isOpen: () => open?.readyState === WebSocket.OPEN,
    close: () => stop.abort(),
  };
}

/** Null where the bridge is there, else a sentence about what is in the way. */
async function probe(address: string, stop: AbortSignal): Promise<string | null> {
  const fetchHealth = (mode: RequestMode) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(probeTimeoutMs)]);
    return fetch(`http://${address}/health`, { mode, cache: 'no-store', signal });
  };
  try {
    // Only the bridge lets this extension read its answer.
    const response = await fetchHealth('cors');
    if (response.ok) return null;
  } catch {
    const isSomebodyThere = await fetchHealth('no-cors').then(
      () => true,
      () => false,
    );
    if (!isSomebodyThere) return `No bridge answers on ${address}. Start it with “npm start”.`;
  }
  return `Another program listens on ${address}. Stop it, or give bridge and extension another port.`;
}

function read(data: unknown): FrameToExtension | undefined {
  try {
    return typeof data === 'string' ? decodeFrameToExtension(data) : undefined;
  } catch {
    return undefined;
  }
}

function closeReason({ code, reason }: CloseEvent, wasOpen: boolean, address: string): string {
  if (code === closeCodes.wrongVersion) return reason;
  if (code === closeCodes.replaced) return 'Another window of this browser profile took the connection over.';
  if (!wasOpen) return `What listens on ${address} is not this bridge, or it refuses this extension.`;
  return `The bridge on ${address} has stopped. Start it with “npm start”.`;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
