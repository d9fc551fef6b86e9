import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { beginExchange } from '#shared/pairing/exchange.ts';
import { proveBridge, proveExtension } from '#shared/pairing/proof.ts';
import type { FrameToBridge, FrameToExtension } from '#shared/protocol.ts';

import { createIntroduction, type BridgePairing } from '../../../extension/relay/introduction.ts';
import { ids } from '../../bridge/connection/connections-rig.ts';
import { firefox, hexBytes } from '../../bridge/pairing/pairing-rig.ts';

/** What the extension makes of whatever answers on the bridge's port, before it says anything of its own. */

const me = { origin: firefox, profile: ids.profile, browser: 'Firefox 153', host: '127.0.0.1:5001' };
const secret = hexBytes();
const own: BridgePairing = { secret, isOfAddress: true };
const latest: BridgePairing = { secret, isOfAddress: false };
const code = 'K7QM2XRD';

const introduce = (change: Partial<Parameters<typeof createIntroduction>[0]> = {}) =>
  createIntroduction({ ...me, watched: true, pairing: null, code: null, random: randomBytes, ...change });

const challenge = (mustPair = true): FrameToExtension & { nonce: string } => ({
  type: 'challenge',
  nonce: hexBytes(),
  mustPair,
});
const greets = { type: 'greet', newSecret: null };
const stops = (why: string) => ({ type: 'stop', why });

/** The frame that it sends, of this type. */
function sent<T extends FrameToBridge['type']>(step: object, type: T): Extract<FrameToBridge, { type: T }> {
  expect(step).toMatchObject({ type: 'send', frame: { type } });
  return (step as { frame: Extract<FrameToBridge, { type: T }> }).frame;
}

const proof = (nonces: { bridge: string; extension: string }, change: { secret?: string; host?: string } = {}) => ({
  type: 'proof' as const,
  mac: proveBridge({ secret, host: me.host, nonces, ...change }),
});

describe('an extension without a pairing', () => {
  it('says hello where its id is enough', () => {
    expect(introduce({ origin: extensionOrigin }).receive(challenge(false))).toEqual(greets);
  });

  it('knocks where it must pair, and tells whether the person looks', () => {
    const { profile, browser } = me;
    for (const watched of [true, false]) {
      const introduction = introduce({ watched });
      expect(sent(introduction.receive(challenge()), 'knock')).toEqual({ type: 'knock', profile, browser, watched });
      expect(introduction.receive(challenge(false))).toEqual(stops('not_our_bridge'));
    }
  });

  it('whose id nobody knows does not believe a bridge that wants no pairing', () => {
    expect(introduce().receive(challenge(false))).toEqual(stops('not_our_bridge'));
  });

  it.each<FrameToExtension>([
    { type: 'welcome', version: '1', secret: 'x', resume: [] },
    { type: 'status', queued: 0, watched: false, durability: 'full' },
    { type: 'proof', mac: hexBytes() },
    { type: 'offer', share: hexBytes() },
  ])('takes nothing for the bridge that begins with %j', (frame) => {
    expect(introduce({ origin: extensionOrigin }).receive(frame)).toEqual(stops('not_our_bridge'));
  });
});

describe('an extension that is paired', () => {
  it.each([true, false])('proves it and says hello once the bridge did, too; it must pair: %s', (mustPair) => {
    const introduction = introduce({ pairing: own });
    const { nonce, ...rest } = challenge(mustPair);
    const { nonce: mine, mac } = sent(introduction.receive({ ...rest, nonce } as FrameToExtension), 'auth');
    const nonces = { bridge: nonce, extension: mine };
    expect(mac).toBe(proveExtension({ secret, host: me.host, nonces }, firefox));
    expect(introduction.receive(proof(nonces))).toEqual(greets);
  });

  it('proves it another way each time', () => {
    const asked = challenge();
    const [one, other] = [1, 2].map(() => sent(introduce({ pairing: own }).receive(asked), 'auth'));
    expect(other?.mac).not.toBe(one?.mac);
  });

  it.each<[string, (nonces: { bridge: string; extension: string }, mac: string) => FrameToExtension]>([
    ['a guess', () => ({ type: 'proof', mac: hexBytes() })],
    ['what it sent, mirrored', (_, mac) => ({ type: 'proof', mac })],
    ['the proof of an earlier connection', ({ extension }) => proof({ bridge: hexBytes(), extension })],
    ['a proof for another of its nonces', ({ bridge }) => proof({ bridge, extension: hexBytes() })],
    ['a proof of another secret', (nonces) => proof(nonces, { secret: hexBytes() })],
    ['a proof of a bridge that listens elsewhere', (nonces) => proof(nonces, { host: '127.0.0.1:1' })],
    ['a welcome in its place', () => ({ type: 'welcome', version: '1', secret: 'x', resume: [] })],
    ['another challenge', () => challenge(false)],
  ])('says nothing more to whoever answers with %s', (_, answer) => {
    const introduction = introduce({ pairing: own });
    const asked = challenge();
    const { nonce, mac } = sent(introduction.receive(asked), 'auth');
    const nonces = { bridge: asked.nonce, extension: nonce };
    expect(introduction.receive(answer(nonces, mac))).toEqual(stops('other_bridge'));
    expect(introduction.receive(proof(nonces))).toEqual(stops('not_our_bridge'));
  });

  it('does so at the new address of its bridge, too, and keeps the secret for that', () => {
    const introduction = introduce({ pairing: latest });
    const asked = challenge();
    const { nonce } = sent(introduction.receive(asked), 'auth');
    expect(introduction.receive(proof({ bridge: asked.nonce, extension: nonce }))).toEqual({
      type: 'greet',
      newSecret: secret,
    });
  });

  it('with another bridge says hello to one that wants no pairing', () => {
    expect(introduce({ origin: extensionOrigin, pairing: latest }).receive(challenge(false))).toEqual(greets);
  });
});

describe('an extension with a code', () => {
  function pairWith(typed: string) {
    const introduction = introduce({ code: typed });
    const asked = challenge();
    const { share } = sent(introduction.receive(asked), 'pair');
    const bridge = beginExchange({ role: 'bridge', code, nonce: asked.nonce, ...me, random: randomBytes(32) });
    const step = introduction.receive({ type: 'offer', share: bridge.share });
    const { nonce, mac } = sent(step, 'auth');
    const secret = bridge.secretWith(share) ?? '';
    return { introduction, secret, mac, nonces: { bridge: asked.nonce, extension: nonce } };
  }

  it('comes to the bridge’s secret, proves it, and keeps it once the bridge did, too', () => {
    const { introduction, secret, mac, nonces } = pairWith(code);
    expect(mac).toBe(proveExtension({ secret, host: me.host, nonces }, firefox));
    expect(introduction.receive(proof(nonces, { secret }))).toEqual({ type: 'greet', newSecret: secret });
  });

  it('that is wrong shows nothing of it, and believes nobody', () => {
    const { introduction, secret, mac, nonces } = pairWith('K7QM2XRE');
    expect(mac).not.toBe(proveExtension({ secret, host: me.host, nonces }, firefox));
    expect(introduction.receive(proof(nonces, { secret }))).toEqual(stops('other_bridge'));
  });

  it('tries it before whatever it had, since the person says so', () => {
    const pairs = { type: 'send', frame: { type: 'pair' } };
    expect(introduce({ code, pairing: own }).receive(challenge())).toMatchObject(pairs);
    const known = introduce({ code, pairing: own, origin: extensionOrigin });
    expect(known.receive(challenge(false))).toMatchObject(pairs);
  });

  it.each<[string, FrameToExtension]>([
    ['no share', { type: 'offer', share: '00'.repeat(32) }],
    ['a proof at once', { type: 'proof', mac: hexBytes() }],
    ['a welcome', { type: 'welcome', version: '1', secret: 'x', resume: [] }],
  ])('says nothing more to whoever answers with %s', (_, answer) => {
    const introduction = introduce({ code });
    sent(introduction.receive(challenge()), 'pair');
    expect(introduction.receive(answer)).toEqual(stops('other_bridge'));
  });
});
