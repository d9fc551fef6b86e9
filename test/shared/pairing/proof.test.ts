import { createHmac } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { isSameProof, proveBridge, proveExtension } from '#shared/pairing/proof.ts';

const secret = 'ab'.repeat(32);
const nonces = { bridge: '01'.repeat(32), extension: '02'.repeat(32) };
const host = '127.0.0.1:5001';
const origin = 'moz-extension://0190a8f0-0000-7000-8000-000000000000';
const facts = { secret, host, nonces };

describe('a proof', () => {
  it('is an HMAC with a key of this address, over who proves and both nonces', () => {
    const key = createHmac('sha256', Buffer.from(secret, 'hex')).update(`v1|key|${host}`).digest();
    const mac = (text: string) => createHmac('sha256', key).update(text).digest('hex');
    expect(proveExtension(facts, origin)).toBe(mac(`v1|ext|${nonces.bridge}|${nonces.extension}|${origin}`));
    expect(proveBridge(facts)).toBe(mac(`v1|srv|${nonces.extension}|${nonces.bridge}`));
  });

  it('of one side is never that of the other, though the nonces were swapped', () => {
    const swapped = { ...facts, nonces: { bridge: nonces.extension, extension: nonces.bridge } };
    const all = [facts, swapped].flatMap((it) => [proveBridge(it), proveExtension(it, origin), proveExtension(it, '')]);
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    ['secret', { secret: 'ac'.repeat(32) }],
    ['address', { host: '127.0.0.1:5002' }],
    ['nonce of the bridge', { nonces: { ...nonces, bridge: '03'.repeat(32) } }],
    ['nonce of the extension', { nonces: { ...nonces, extension: '03'.repeat(32) } }],
  ])('is another with another %s', (_, change) => {
    expect(proveBridge({ ...facts, ...change })).not.toBe(proveBridge(facts));
    expect(proveExtension({ ...facts, ...change }, origin)).not.toBe(proveExtension(facts, origin));
  });

  it('is compared to its last digit', () => {
    const proof = proveBridge(facts);
    expect(isSameProof(proof, proof)).toBe(true);
    const last = proof.endsWith('0') ? '1' : '0';
    expect(isSameProof(proof, proof.slice(0, -1) + last)).toBe(false);
    expect(isSameProof(proof, proof.slice(2))).toBe(false);
  });
});
