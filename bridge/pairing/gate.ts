import { beginExchange } from '#shared/pairing/exchange.ts';
import { isSameProof, proveBridge, proveExtension } from '#shared/pairing/proof.ts';
import { closeCodes, FrameError, type Frame, type FrameToBridge, type FrameToExtension } from '#shared/protocol.ts';

import type { Offer, Offers } from './offers.ts';
import type { Pairing, Pairings } from './pairings.ts';

/** What comes of one frame before the hello. */
export type Verdict =
  | { type: 'answered'; frame: FrameToExtension }
  /** The hello is let through; `pairing` is null for one that need not be paired. */
  | { type: 'admitted'; hello: Frame<FrameToBridge, 'hello'>; pairing: Pairing | null }
  | { type: 'refused'; code: number; reason: string };

/** Stands before one socket until the extension has said hello, and lets that through where it may. */
export interface Gate {
  readonly challenge: Frame<FrameToExtension, 'challenge'>;
  receive(frame: FrameToBridge | FrameError): Verdict;
}

export interface GateOptions {
  pairings: Omit<Pairings, 'hasOrigin'>;
  offers: Offers;
  /** Where the bridge listens, as extensions dial it. */
  host: string;
  random: (count: number) => Uint8Array;
}

type Knock = Frame<FrameToBridge, 'knock' | 'pair' | 'auth'>;
type State =
  | { at: 'challenged' }
  /** A code was typed, and what it comes to is still to be proved. */
  | { at: 'pairing'; offer: Offer; knock: Knock; secret: string }
  | { at: 'known'; pairing: Pairing }
  | { at: 'refused' };

const reasons = {
  first: 'A connection begins with one hello.',
  mustPair: 'This extension must be paired before anything else.',
  notPaired: 'This extension is not paired with this bridge.',
  wrongCode: 'That is another code.',
  void: 'Too many wrong codes.',
  noCode: 'There is no such code any more.',
};

export function createGate(options: GateOptions & { origin: string; mustPair: boolean }): Gate {
  const { pairings, offers, host, random, origin, mustPair } = options;
  const nonce = toHex(random(32));
  let state: State = { at: 'challenged' };

  function refuse(code: number, reason: string): Verdict {
    state = { at: 'refused' };
    return { type: 'refused', code, reason };
  }

  function turnAway(knock: Knock): Verdict {
    offers.knock({ origin, browser: knock.browser }, knock.watched);
    return refuse(closeCodes.notPaired, reasons.notPaired);
  }

  function pair(knock: Frame<FrameToBridge, 'pair'>): Verdict {
    const offer = offers.current();
    if (!offer) {
      offers.knock({ origin, browser: knock.browser }, knock.watched);
      return refuse(closeCodes.noCode, reasons.noCode);
    }
    const { profile, browser } = knock;
    const who = { origin, profile, browser, host };
    const exchange = beginExchange({ role: 'bridge', code: offer.code, nonce, ...who, random: random(32) });
    const secret = exchange.secretWith(knock.share);
    if (secret === null) return refuse(closeCodes.notPaired, reasons.notPaired);
    state = { at: 'pairing', offer, knock, secret };
    return { type: 'answered', frame: { type: 'offer', share: exchange.share } };
  }

  /** The bridge's own proof comes only after the extension's, so that a wrong code is never tried in vain. */
  function recognise(auth: Frame<FrameToBridge, 'auth'>, secret: string): Frame<FrameToExtension, 'proof'> | null {
    const facts = { secret, host, nonces: { bridge: nonce, extension: auth.nonce } };
    return isSameProof(auth.mac, proveExtension(facts, origin)) ? { type: 'proof', mac: proveBridge(facts) } : null;
  }

  function admitPaired(auth: Frame<FrameToBridge, 'auth'>): Verdict {
    const pairing = pairings.find(origin, auth.profile);
    const proof = pairing && recognise(auth, pairing.secret);
    if (!proof) return turnAway(auth);
    pairings.see(pairing.id);
    state = { at: 'known', pairing };
    return { type: 'answered', frame: proof };
  }

  function admitNew(auth: Frame<FrameToBridge, 'auth'>, { offer, knock, secret }: State & { at: 'pairing' }): Verdict {
    const { profile, browser } = knock;
    const proof = auth.profile === profile ? recognise(auth, secret) : null;
    switch (offers.judge(offer, proof !== null)) {
      case 'wrong':
        return refuse(closeCodes.notPaired, reasons.wrongCode);
      case 'void':
        return refuse(closeCodes.codeVoid, reasons.void);
      case 'gone':
        return refuse(closeCodes.noCode, reasons.noCode);
      case 'right':
        break;
    }
    if (!proof) return refuse(closeCodes.notPaired, reasons.wrongCode);
    state = { at: 'known', pairing: pairings.add({ origin, profile, browser, secret }) };
    return { type: 'answered', frame: proof };
  }

  function admit(hello: Frame<FrameToBridge, 'hello'>): Verdict {
    if (state.at === 'challenged' && !mustPair) return { type: 'admitted', hello, pairing: null };
    if (state.at !== 'known') return refuseEarly(hello);
    const { pairing } = state;
    // Whoever speaks for one profile does not speak for another; and a moment ago it may have been unpaired.
    return pairing.profile === hello.profile && pairings.has(pairing.id)
      ? { type: 'admitted', hello, pairing }
      : refuse(closeCodes.notPaired, reasons.notPaired);
  }

  function refuseEarly(frame: FrameToBridge | FrameError): Verdict {
    if (mustPair) return refuse(closeCodes.notPaired, reasons.mustPair);
    return refuse(closeCodes.badFrame, frame instanceof FrameError ? frame.message : reasons.first);
  }

  return {
    challenge: { type: 'challenge', nonce, mustPair },
    receive(frame) {
      if (frame instanceof FrameError) return refuseEarly(frame);
      if (frame.type === 'hello') return admit(frame);
      if (frame.type === 'auth' && state.at === 'pairing') return admitNew(frame, state);
      if (state.at !== 'challenged') return refuseEarly(frame);
      if (frame.type === 'knock') return turnAway(frame);
      if (frame.type === 'pair') return pair(frame);
      if (frame.type === 'auth') return admitPaired(frame);
      return refuseEarly(frame);
    },
  };
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
