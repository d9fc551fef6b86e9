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

import { backoffMs } from './backoff.ts';
import { problemOf, whyClosed, type Ended, type LinkState, type PairingProblem } from './endings.ts';
import { createIntroduction, type BridgePairing } from './introduction.ts';
import { probe } from './probe.ts';

/** The socket to the bridge, dialled for ever. */
export interface Link {
  /** Does nothing before the welcome and after the end: `onWelcome` is where frames are sent again. */
  send(frame: FrameToBridge): void;
  isOpen(): boolean;
  /** Dials now instead of waiting for the next turn. */
  retry(): void;
  /** Dials now and pairs by the code that was typed; null where that went well, or was not needed. */
  pair(code: string): Promise<PairingProblem | null>;
  close(): void;
}

export interface LinkOptions {
  /** The origin of the bridge, for example `http://127.0.0.1:5001`. */
  address: string;
  /** Of this extension. */
  origin: string;
  pairing: () => BridgePairing | null;
  /** Keeps what came of pairing, from the next dialling on. */
  onPaired: (secret: string) => void;
  /** Whether the person looks at a page of ours. */
  isWatched: () => boolean;
  hello: () => Frame<FrameToBridge, 'hello'>;
  onWelcome: (frame: Frame<FrameToExtension, 'welcome'>) => void;
  onFrame: (frame: OwnFrame) => void;
  onState: (state: LinkState) => void;
}

/** What the bridge says once it has welcomed this extension. */
export type OwnFrame = Exclude<FrameToExtension, { type: 'challenge' | 'offer' | 'proof' | 'welcome' | 'ping' }>;

export function startLink(options: LinkOptions): Link {
  const { address, origin, pairing, onPaired, isWatched, hello, onWelcome, onFrame, onState } = options;
  const { host } = new URL(address);
  const stop = new AbortController();
  let open: WebSocket | undefined;
  let waiting = new AbortController();
  let typed: TypedCode | undefined;

  async function dialForEver(): Promise<void> {
    onState({ state: 'connecting', detail: host });
    for (let attempt = 0; ; attempt += 1) {
      const tried = typed;
      const { wasOpen, retryMs, ...trouble } = await dialOnce(tried);
      tried?.settle('no_answer');
      if (typed === tried) typed = undefined;
      if (stop.signal.aborted) return;
      onState(trouble);
      if (typed) continue;
      if (wasOpen) attempt = 0;
      waiting = new AbortController();
      const ms = retryMs === 'next_turn' ? backoffMs(attempt, Math.random) : retryMs;
      await sleep(ms, AbortSignal.any([stop.signal, waiting.signal]));
      if (stop.signal.aborted) return;
    }
  }

  async function dialOnce(code: TypedCode | undefined): Promise<Ended> {
    // Browsers hold back sockets that keep failing, and say nothing about why; a fetch they do not.
    const obstacle = await probe(address, stop.signal);
    if (obstacle === null) return holdSocket(code);
    return { wasOpen: false, retryMs: 'next_turn', state: obstacle, detail: host };
  }

  /** One socket from dialling to its end. */
  function holdSocket(code: TypedCode | undefined): Promise<Ended> {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const socket = new WebSocket(`${address.replace(/^http/, 'ws')}/ws`, subprotocol);
    const events = new AbortController();
    const { signal } = events;
    const { profile, browser } = hello();
    const introduction = createIntroduction({
      ...{ origin, profile, browser, host },
      watched: isWatched(),
      pairing: pairing(),
      code: code?.code ?? null,
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    });
    let phase: 'dialling' | 'introducing' | 'greeting' | 'open' = 'dialling';
    let silence = setTimeout(giveUp, heartbeatMs);

    /** The bridge pings every heartbeat; silence for longer means that the connection is dead. */
    function expectMore(): void {
      clearTimeout(silence);
      silence = setTimeout(giveUp, phase === 'open' ? heartbeatMs * 2.5 : heartbeatMs);
    }

    function finish(end: LinkState & { retryMs?: Ended['retryMs'] }): void {
      clearTimeout(silence);
      events.abort();
      if (open === socket) open = undefined;
      resolve({ wasOpen: phase === 'open', retryMs: 'next_turn', ...end });
    }
    function giveUp(): void {
      socket.close();
      finish({ state: 'no_bridge', detail: host });
    }
    function refuse(): void {
      socket.close(closeCodes.badFrame, 'Not a frame.');
      finish({ state: 'not_our_bridge', detail: host });
    }
    function refuseImpostor(): void {
      socket.close(closeCodes.notPaired, 'Not the bridge of this pairing.');
      code?.settle('other_bridge');
      // There is no pairing yet of which it would be the wrong side.
      finish({ state: code ? 'must_pair' : 'other_bridge', detail: host });
    }
    function introduce(frame: FrameToExtension): void {
      const step = introduction.receive(frame);
      switch (step.type) {
        case 'send':
          return socket.send(encodeFrame(step.frame));
        case 'stop':
          return step.why === 'other_bridge' ? refuseImpostor() : refuse();
        case 'greet':
          if (step.newSecret !== null) onPaired(step.newSecret);
          code?.settle(null);
          phase = 'greeting';
          return socket.send(encodeFrame(hello()));
      }
    }

    stop.signal.addEventListener('abort', () => socket.close(1000), { signal });
    const onClose = (event: CloseEvent) => {
      code?.settle(problemOf(event.code));
      finish(whyClosed(event, phase === 'open', host));
    };
    socket.addEventListener('close', onClose, { signal });
    socket.addEventListener(
      'message',
      ({ data }: MessageEvent<unknown>) => {
        expectMore();
        const frame = read(data);
        if (!frame) return refuse();
        if (frame.type === 'ping') return socket.send(encodeFrame({ type: 'pong' }));
        if (phase === 'dialling') phase = 'introducing';
        if (phase === 'introducing') return introduce(frame);
        if (isOwn(frame)) return phase === 'open' ? onFrame(frame) : refuse();
        if (frame.type !== 'welcome') return refuse();
        phase = 'open';
        open = socket;
        expectMore();
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
    pair(code) {
      if (open) return Promise.resolve(null);
      const { promise, resolve } = Promise.withResolvers<PairingProblem | null>();
      typed?.settle('no_answer');
      typed = { code, settle: resolve };
      waiting.abort();
      return promise;
    },
    close() {
      stop.abort();
      typed?.settle('no_answer');
    },
  };
}

/** A code on its way, and who waits for what comes of it: only the first word counts. */
interface TypedCode {
  code: string;
  settle: (problem: PairingProblem | null) => void;
}

const isOwn = (frame: FrameToExtension): frame is OwnFrame =>
  !['challenge', 'offer', 'proof', 'welcome', 'ping'].includes(frame.type);

function read(data: unknown): FrameToExtension | undefined {
  try {
    return typeof data === 'string' ? decodeFrameToExtension(data) : undefined;
  } catch {
    return undefined;
  }
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
