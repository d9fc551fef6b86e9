import { extensionOrigin } from '#shared/extension-id.ts';
import { beginExchange, type Exchange } from '#shared/pairing/exchange.ts';
import { isSameProof, proveBridge, proveExtension, type ProofFacts } from '#shared/pairing/proof.ts';
import type { Frame, FrameToBridge, FrameToExtension } from '#shared/protocol.ts';

/** What this profile shares with a bridge. */
export interface BridgePairing {
  /** 32 bytes as hex. */
  secret: string;
  /** It came about at this very address; else it is the latest one of another, and worth a try. */
  isOfAddress: boolean;
}

/** What to do next before the hello. */
export type Step =
  | { type: 'send'; frame: FrameToBridge }
  /** Say hello; `newSecret` is one to keep for this address. */
  | { type: 'greet'; newSecret: string | null }
  | { type: 'stop'; why: 'not_our_bridge' | 'other_bridge' };

/**
 * The extension's side of one socket before the hello, of which nobody may hear who is not the bridge: where a
 * pairing came about at this address, whatever answers there now must prove that it has its secret, too.
 */
export interface Introduction {
  receive(frame: FrameToExtension): Step;
}

type State =
  | { at: 'waiting' }
  | { at: 'pairing'; exchange: Exchange; nonce: string }
  | { at: 'proving'; facts: ProofFacts; isNew: boolean }
  | { at: 'over' };

export function createIntroduction(options: {
  /** Of this extension. */
  origin: string;
  profile: string;
  browser: string;
  /** Whether the person looks at a page of ours. */
  watched: boolean;
  /** Of the bridge, as it is dialled. */
  host: string;
  pairing: BridgePairing | null;
  /** What the person typed just now. */
  code: string | null;
  random: (count: number) => Uint8Array;
}): Introduction {
  const { origin, profile, browser, watched, host, pairing, code, random } = options;
  const knocker = { profile, browser, watched };
  let state: State = { at: 'waiting' };

  function answer({ nonce, mustPair }: Frame<FrameToExtension, 'challenge'>): Step {
    if (code !== null) return pair(nonce, code);
    if (pairing && (pairing.isOfAddress || mustPair)) return prove(nonce, pairing.secret, !pairing.isOfAddress);
    if (mustPair) return knock();
    // The bridge asks no pairing of the one extension that it knows by its id.
    if (origin !== extensionOrigin) return stop('not_our_bridge');
    return greet(null);
  }

  function knock(): Step {
    state = { at: 'over' };
    return { type: 'send', frame: { type: 'knock', ...knocker } };
  }

  function pair(nonce: string, code: string): Step {
    const exchange = beginExchange({
      role: 'extension',
      ...{ code, nonce, origin, profile, browser, host },
      random: random(32),
    });
    state = { at: 'pairing', exchange, nonce };
    return { type: 'send', frame: { type: 'pair', ...knocker, share: exchange.share } };
  }

  function prove(bridgeNonce: string, secret: string, isNew: boolean): Step {
    const nonce = toHex(random(32));
    const facts = { secret, host, nonces: { bridge: bridgeNonce, extension: nonce } };
    state = { at: 'proving', facts, isNew };
    return { type: 'send', frame: { type: 'auth', ...knocker, nonce, mac: proveExtension(facts, origin) } };
  }

  function greet(newSecret: string | null): Step {
    state = { at: 'over' };
    return { type: 'greet', newSecret };
  }

  function stop(why: (Step & { type: 'stop' })['why']): Step {
    state = { at: 'over' };
    return { type: 'stop', why };
  }

  return {
    receive(frame) {
      const current = state;
      if (current.at === 'waiting' && frame.type === 'challenge') return answer(frame);
      if (current.at === 'pairing' && frame.type === 'offer') {
        const secret = current.exchange.secretWith(frame.share);
        return secret === null ? stop('other_bridge') : prove(current.nonce, secret, true);
      }
      if (current.at === 'proving' && frame.type === 'proof') {
        const { facts, isNew } = current;
        return isSameProof(frame.mac, proveBridge(facts)) ? greet(isNew ? facts.secret : null) : stop('other_bridge');
      }
      // Whoever leaves the proof out, has none.
      return stop(current.at === 'proving' || current.at === 'pairing' ? 'other_bridge' : 'not_our_bridge');
    },
  };
}

const toHex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
