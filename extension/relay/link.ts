import type { HopState } from '#shared/hops.ts';
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

import { isReachable } from '../is-reachable.ts';
import { backoffMs } from './backoff.ts';

/** How far the socket is, and what the sentence about it names. */
export interface LinkState {
  state: Exclude<HopState<'bridge'>, 'no_extension' | 'paused'>;
  detail: string;
}

/** The socket to the bridge, dialled for ever. */
export interface Link {
  /** Does nothing before the welcome and after the end: `onWelcome` is where frames are sent again. */
  send(frame: FrameToBridge): void;
  isOpen(): boolean;
  /** Dials now instead of waiting for the next turn. */
  retry(): void;
  close(): void;
}

export interface LinkOptions {
  /** The origin of the bridge, for example `http://127.0.0.1:5001`. */
  address: string;
  hello: () => Frame<FrameToBridge, 'hello'>;
  onWelcome: (frame: Frame<FrameToExtension, 'welcome'>) => void;
  onFrame: (frame: Exclude<FrameToExtension, { type: 'welcome' | 'ping' }>) => void;
  onState: (state: LinkState) => void;
}

const probeTimeoutMs = 2000;

export function startLink(options: LinkOptions): Link {
  const { address, hello, onWelcome, onFrame, onState } = options;
  const host = address.replace(/^http:\/\//, '');
  const stop = new AbortController();
  let open: WebSocket | undefined;
  let waiting = new AbortController();

  async function dialForEver(): Promise<void> {
    onState({ state: 'connecting', detail: host });
    for (let attempt = 0; ; attempt += 1) {
      const { wasOpen, ...trouble } = await dialOnce();
      if (stop.signal.aborted) return;
      onState(trouble);
      if (wasOpen) attempt = 0;
      waiting = new AbortController();
      // Whoever took the connection over would do so again, and both for ever: this waits until the person wants it back.
      const ms = trouble.state === 'replaced' ? null : backoffMs(attempt, Math.random);
      await sleep(ms, AbortSignal.any([stop.signal, waiting.signal]));
      if (stop.signal.aborted) return;
    }
  }

  async function dialOnce(): Promise<Ended> {
    // Browsers hold back sockets that keep failing, and say nothing about why; a fetch they do not.
    const obstacle = await probe(address, stop.signal);
    return obstacle === null ? holdSocket() : { wasOpen: false, state: obstacle, detail: host };
  }

  /** One socket from dialling to its end. */
  function holdSocket(): Promise<Ended> {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/ws`, subprotocol);
    const events = new AbortController();
    const { signal } = events;
    let wasOpen = false;
    let silence = setTimeout(giveUp, heartbeatMs);

    function finish(end: LinkState): void {
      clearTimeout(silence);
      events.abort();
      if (open === socket) open = undefined;
      resolve({ wasOpen, ...end });
    }
    function giveUp(): void {
      socket.close();
      finish({ state: 'no_bridge', detail: host });
    }
    function refuse(): void {
      socket.close(closeCodes.badFrame, 'Not a frame.');
      finish({ state: 'not_our_bridge', detail: host });
    }

    stop.signal.addEventListener('abort', () => socket.close(1000), { signal });
    socket.addEventListener('open', () => socket.send(encodeFrame(hello())), { signal });
    socket.addEventListener('close', (event) => finish(whyClosed(event, wasOpen, host)), { signal });
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
        onState({ state: 'connected', detail: host });
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
    retry: () => waiting.abort(),
    close: () => stop.abort(),
  };
}

type Ended = LinkState & { wasOpen: boolean };

/** Null where the bridge is there. */
async function probe(address: string, stop: AbortSignal): Promise<'no_bridge' | 'not_our_bridge' | null> {
  const url = `${address}/health`;
  const signal = () => AbortSignal.any([stop, AbortSignal.timeout(probeTimeoutMs)]);
  try {
    // Only the bridge lets this extension read its answer.
    const response = await fetch(url, { cache: 'no-store', signal: signal() });
    return response.ok ? null : 'not_our_bridge';
  } catch {
    return (await isReachable(url, signal())) ? 'not_our_bridge' : 'no_bridge';
  }
}

function read(data: unknown): FrameToExtension | undefined {
  try {
    return typeof data === 'string' ? decodeFrameToExtension(data) : undefined;
  } catch {
    return undefined;
  }
}

function whyClosed({ code, reason }: CloseEvent, wasOpen: boolean, host: string): LinkState {
  if (code === closeCodes.wrongVersion) return { state: 'wrong_version', detail: reason };
  if (code === closeCodes.replaced) return { state: 'replaced', detail: host };
  // Before the welcome: it stopped just now, or it refuses the handshake. The next probe tells for certain.
  return { state: wasOpen || code === closeCodes.goingAway ? 'no_bridge' : 'not_our_bridge', detail: host };
}

/** Until the signal where `ms` is null. */
function sleep(ms: number | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? undefined : setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
