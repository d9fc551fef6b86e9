import { randomBytes } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { proveBridge, proveExtension } from '#shared/pairing/proof.ts';
import { closeCodes, FrameError, type FrameToBridge } from '#shared/protocol.ts';

import { createGate, type Gate, type Verdict } from '../../../bridge/pairing/gate.ts';
import type { Offer, Offers } from '../../../bridge/pairing/offers.ts';
import type { Pairing, Pairings } from '../../../bridge/pairing/pairings.ts';
import { hello, ids } from '../connection/connections-rig.ts';
import { auth, firefox, fork, hexBytes, knock, otherFirefox, startPairing, who } from './pairing-rig.ts';

/** What the bridge makes of every frame before the hello, without socket, disk and clock. */

const code = 'K7QM2XRD';
const url = 'http://127.0.0.1:5001';
const me = who({ url });
const secret = hexBytes();
const known: Pairing = { ...me, id: 'known', secret, created: '', lastSeen: '' };

let kept: Pairing[];
let seen: string[];
let knocks: string[];
let judged: boolean[];
let offer: Offer | null;
let verdict: ReturnType<Offers['judge']> | undefined;

beforeEach(() => {
  kept = [];
  seen = [];
  knocks = [];
  judged = [];
  offer = { code };
  verdict = undefined;
});

const pairings: Omit<Pairings, 'hasOrigin'> = {
  find: (origin, profile) => kept.find((it) => it.origin === origin && it.profile === profile) ?? null,
  has: (id) => kept.some((it) => it.id === id),
  add(pairing) {
    const added = { ...pairing, id: `new ${kept.length}`, created: '', lastSeen: '' };
    kept.push(added);
    return added;
  },
  see: (id) => void seen.push(id),
};
const offers: Offers = {
  knock: ({ origin, browser }, isWatched) => void knocks.push(`${origin} ${browser} ${isWatched}`),
  current: () => offer,
  judge(tried, isRight) {
    expect(tried).toEqual({ code });
    judged.push(isRight);
    return verdict ?? (isRight ? 'right' : 'wrong');
  },
  view: () => null,
  close() {},
};

const gateFor = (origin = firefox, mustPair = true): Gate =>
  createGate({ pairings, offers, host: me.host, random: randomBytes, origin, mustPair });

const refused = (code: number): object => ({ type: 'refused', code });
const notPaired = refused(closeCodes.notPaired);

/** Sends the first frame of a pairing, and returns the one that proves it. */
function begin(gate: Gate, typed = code, it = me) {
  const { nonce } = gate.challenge;
  const pairing = startPairing(it, nonce, typed);
  const answer = gate.receive(pairing.frame);
  if (answer.type !== 'answered' || answer.frame.type !== 'offer') throw new Error(`It was ${answer.type}.`);
  return { secret: pairing.secretWith(answer.frame.share), nonce };
}

function tryCode(gate: Gate, typed = code): { verdict: Verdict; secret: string; answer: object } {
  const { secret, nonce } = begin(gate, typed);
  const { frame, answer } = auth(me, nonce, secret);
  return { verdict: gate.receive(frame), secret, answer };
}

describe('a gate', () => {
  it('challenges each socket with another nonce', () => {
    const challenges = [gateFor().challenge, gateFor(extensionOrigin, false).challenge];
    expect(challenges.map(({ mustPair }) => mustPair)).toEqual([true, false]);
    const [one, other] = challenges.map(({ nonce }) => nonce);
    expect(one).toMatch(/^[\da-f]{64}$/);
    expect(other).not.toBe(one);
  });

  it('lets the hello of an extension through that need not be paired', () => {
    expect(gateFor(extensionOrigin, false).receive(hello())).toMatchObject({ type: 'admitted', pairing: null });
  });

  it.each<[string, FrameToBridge | FrameError]>([
    ['a hello', hello()],
    ['an answer', { type: 'started', requestId: ids.instance }],
    ['a pong', { type: 'pong' }],
    ['no frame', new FrameError('A frame must be JSON.')],
  ])('ends it where %s comes before the pairing', (_, frame) => {
    expect(gateFor().receive(frame)).toMatchObject(notPaired);
    expect(knocks).toEqual([]);
  });

  it('remembers who knocks, and ends it', () => {
    const gate = gateFor();
    expect(gate.receive(knock(me))).toMatchObject(notPaired);
    expect(gateFor(fork).receive(knock({ ...me, browser: 'Fork 1' }, true))).toMatchObject(notPaired);
    expect(knocks).toEqual([`${firefox} Firefox 153 false`, `${fork} Fork 1 true`]);
    // Not even with the right answer to its challenge.
    kept.push(known);
    expect(gate.receive(auth(me, gate.challenge.nonce, secret).frame)).toMatchObject(notPaired);
  });
});

describe('an extension that is paired', () => {
  beforeEach(() => void kept.push(known));

  it.each([true, false])('proves it, is shown the bridge’s own proof, and let in; it must: %s', (mustPair) => {
    const gate = gateFor(firefox, mustPair);
    const { frame, answer } = auth(me, gate.challenge.nonce, secret);
    expect(gate.receive(frame)).toEqual({ type: 'answered', frame: answer });
    expect(seen).toEqual(['known']);
    expect(gate.receive(hello())).toEqual({ type: 'admitted', hello: hello(), pairing: known });
    expect(knocks).toEqual([]);
  });

  it('is let in after the proof alone, and with nothing in between', () => {
    const gate = gateFor();
    gate.receive(auth(me, gate.challenge.nonce, secret).frame);
    expect(gate.receive(knock(me))).toMatchObject(notPaired);
    expect(gate.receive(hello())).toMatchObject(notPaired);
  });

  it.each<[string, (nonce: string) => FrameToBridge]>([
    ['of another secret', (nonce) => auth(me, nonce, hexBytes()).frame],
    ['of another address, passed on from there', (nonce) => auth({ ...me, host: '127.0.0.1:1' }, nonce, secret).frame],
    ['of another origin', (nonce) => auth({ ...me, origin: otherFirefox }, nonce, secret).frame],
    ['of another profile', (nonce) => auth({ ...me, profile: ids.otherProfile }, nonce, secret).frame],
    ['of an earlier connection', () => auth(me, gateFor().challenge.nonce, secret).frame],
    ['of the bridge, sent back to it', (nonce) => ({ ...auth(me, nonce, secret).frame, mac: mirrored(nonce) })],
    ['with its nonce and another’s MAC', (nonce) => ({ ...auth(me, nonce, secret).frame, nonce: hexBytes() })],
  ])('is not known by the proof %s', (_, frame) => {
    const gate = gateFor();
    const verdict = gate.receive(frame(gate.challenge.nonce));
    expect(verdict).toMatchObject(notPaired);
    expect([seen, knocks.length]).toEqual([[], 1]);
    // Nor by another in the same connection.
    expect(gate.receive(auth(me, gate.challenge.nonce, secret).frame)).toMatchObject(notPaired);
  });

  /** The bridge's label where the extension's belongs, in both orders of the nonces. */
  function mirrored(nonce: string): string {
    const facts = { secret, host: me.host, nonces: { bridge: nonce, extension: nonce } };
    expect(proveBridge(facts)).not.toBe(proveExtension(facts, firefox));
    return proveBridge(facts);
  }

  it('of another installation is not let in by the proof of the first', () => {
    const gate = gateFor(otherFirefox);
    expect(gate.receive(auth(me, gate.challenge.nonce, secret).frame)).toMatchObject(notPaired);
  });

  it('speaks for its own profile alone', () => {
    const gate = gateFor();
    gate.receive(auth(me, gate.challenge.nonce, secret).frame);
    expect(gate.receive(hello({ profile: ids.otherProfile }))).toMatchObject(notPaired);
  });

  it('and unpaired the moment before is not let in', () => {
    const gate = gateFor();
    gate.receive(auth(me, gate.challenge.nonce, secret).frame);
    kept = [];
    expect(gate.receive(hello())).toMatchObject(notPaired);
  });
});

describe('an extension with a code', () => {
  it('is paired, known under the new secret, and let in', () => {
    const gate = gateFor();
    const { verdict, secret, answer } = tryCode(gate);
    expect(verdict).toEqual({ type: 'answered', frame: answer });
    expect(kept).toMatchObject([{ origin: firefox, profile: ids.profile, browser: 'Firefox 153', secret }]);
    expect(judged).toEqual([true]);
    expect(gate.receive(hello())).toMatchObject({ type: 'admitted', pairing: { secret } });
  });

  it('that is wrong is turned away, counted, and told nothing that tells of the right one', () => {
    const gate = gateFor();
    expect(tryCode(gate, 'K7QM2XRE').verdict).toEqual({
      type: 'refused',
      code: closeCodes.notPaired,
      reason: 'That is another code.',
    });
    expect([judged, kept]).toEqual([[false], []]);
    expect(tryCodeAgain(gate)).toMatchObject(notPaired);
    expect(judged).toEqual([false]);
  });

  /** In the same connection, which is over. */
  const tryCodeAgain = (gate: Gate) => gate.receive(startPairing(me, gate.challenge.nonce, code).frame);

  it('is counted only once it tried to prove it: what came before tells it nothing', () => {
    const gate = gateFor();
    begin(gate, 'K7QM2XRE');
    expect(judged).toEqual([]);
    expect(gate.receive(hello())).toMatchObject(notPaired);
    expect(judged).toEqual([]);
  });

  it('that is the right one, in the name of another profile, is turned away and counted', () => {
    const gate = gateFor();
    const { secret, nonce } = begin(gate);
    expect(gate.receive(auth({ ...me, profile: ids.otherProfile }, nonce, secret).frame)).toMatchObject(notPaired);
    expect([judged, kept]).toEqual([[false], []]);
  });

  it('that was read elsewhere, from a listener that passes everything on, does not pair', () => {
    const gate = gateFor();
    const { nonce } = gate.challenge;
    const far = { ...me, host: '127.0.0.1:1' };
    const { secret } = begin(gate, code, far);
    expect(gate.receive(auth(far, nonce, secret).frame)).toMatchObject(notPaired);
    expect(kept).toEqual([]);
  });

  it.each([
    ['void', closeCodes.codeVoid],
    ['gone', closeCodes.noCode],
  ] as const)('that is %s by the time that it is proved is turned away, however right', (judgement, closeCode) => {
    verdict = judgement;
    for (const typed of [code, 'K7QM2XRE']) {
      expect(tryCode(gateFor(), typed).verdict).toMatchObject(refused(closeCode));
    }
    expect(kept).toEqual([]);
  });

  it('knocks where the bridge has none', () => {
    offer = null;
    const gate = gateFor();
    expect(gate.receive(startPairing(me, gate.challenge.nonce, code).frame)).toMatchObject(refused(closeCodes.noCode));
    expect(knocks).toEqual([`${firefox} Firefox 153 false`]);
  });

  it.each(['00'.repeat(32), 'ff'.repeat(32)])('is turned away where its share is none: %s', (share) => {
    const gate = gateFor();
    expect(gate.receive({ ...startPairing(me, gate.challenge.nonce, code).frame, share })).toMatchObject(notPaired);
  });

  it('may pair anew with a bridge that forgot it, though it need not be paired there', () => {
    const gate = gateFor(firefox, false);
    expect(tryCode(gate).verdict.type).toBe('answered');
    expect(gate.receive(hello())).toMatchObject({ type: 'admitted', pairing: { origin: firefox } });
  });
});
