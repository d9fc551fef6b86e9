import { describe, expect, it } from 'vitest';

import { beginCPace } from '#shared/pairing/cpace.ts';

/** Against the numbers of draft-irtf-cfrg-cpace-21, appendix B.3. */

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const show = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex');

const common = {
  password: ascii('Password'),
  channel: ascii('\u000bA_initiator\u000bB_responder'),
  session: hex('7e4b4791d6a8ef019b936c79fb7f2c57'),
};
const shareA = 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157';
const shareB = '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258';
const key =
  'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd' +
  '2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447';

const initiator = (change: Partial<Parameters<typeof beginCPace>[0]> = {}) =>
  beginCPace({
    ...common,
    role: 'initiator',
    data: ascii('ADa'),
    random: hex('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08'),
    ...change,
  });
const responder = (change: Partial<Parameters<typeof beginCPace>[0]> = {}) =>
  beginCPace({
    ...common,
    role: 'responder',
    data: ascii('ADb'),
    random: hex('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d'),
    ...change,
  });

describe('CPace', () => {
  it('gives the shares and the key of the draft, on both sides', () => {
    const [a, b] = [initiator(), responder()];
    expect([show(a.message.share), show(b.message.share)]).toEqual([shareA, shareB]);
    expect([show(a.agree(b.message)), show(b.agree(a.message))]).toEqual([key, key]);
  });

  it('takes 252 bits of what is random, whatever the others are', () => {
    const random = hex('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976df8');
    expect(show(initiator({ random }).message.share)).toBe(shareA);
  });

  it.each([
    ['no element', '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c'],
    ['the neutral element', '00'.repeat(32)],
    ['too large a number', 'ff'.repeat(32)],
    ['too few bytes', '00'],
  ])('gives no key where the other side sends %s', (_, share) => {
    for (const half of [initiator(), responder()])
      expect(half.agree({ share: hex(share), data: ascii('x') })).toBeNull();
  });

  it.each([
    ['the password', { password: ascii('Passwore') }],
    ['the channel', { channel: ascii('\u000bA_initiator\u000bC_responder') }],
    ['the session', { session: hex('00') }],
  ])('gives another key where %s is another', (_, change) => {
    const [a, b] = [initiator(), responder(change)];
    expect(show(a.agree(b.message))).not.toBe(show(b.agree(a.message)));
  });

  it('gives another key where somebody changed what goes along', () => {
    const [a, b] = [initiator(), responder()];
    expect(show(a.agree({ ...b.message, data: ascii('ADx') }))).not.toBe(show(b.agree(a.message)));
  });

  it('hashes a password as long as a block, or longer, all the same', () => {
    for (const length of [100, 127, 128, 200, 20_000]) {
      const password = new Uint8Array(length).fill(65);
      const [a, b] = [initiator({ password }), responder({ password })];
      expect(show(a.agree(b.message))).toBe(show(b.agree(a.message)));
    }
  });
});
