import { randomBytes } from 'node:crypto';

import { expect } from 'vitest';

import { readCode } from '#shared/pairing/code.ts';
import { beginExchange } from '#shared/pairing/exchange.ts';
import { proveBridge, proveExtension } from '#shared/pairing/proof.ts';
import type { Frame, FrameToBridge, FrameToExtension } from '#shared/protocol.ts';

import type { Bridge } from '../../../bridge/bridge.ts';
import { hello, ids, open, type Client } from '../connection/connections-rig.ts';

/** An extension's side of pairing, done by hand, so that a test can do any of it wrong. */

export const firefox = 'moz-extension://0190a8f0-0000-7000-8000-000000000000';
export const otherFirefox = 'moz-extension://0190a8f0-0000-7000-8000-000000000001';
export const fork = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';

export interface Who {
  origin: string;
  profile: string;
  browser: string;
  host: string;
}

export const who = (bridge: { url: string }, change: Partial<Who> = {}): Who => ({
  origin: firefox,
  profile: ids.profile,
  browser: 'Firefox 153',
  host: new URL(bridge.url).host,
  ...change,
});

export const hexBytes = (): string => randomBytes(32).toString('hex');

const knockerOf = ({ profile, browser }: Who) => ({ profile, browser, watched: false });

export const knock = (it: Who, watched = false): FrameToBridge => ({ type: 'knock', ...knockerOf(it), watched });

/** The frame that proves `secret`, and the proof that has to come back for it. */
export function auth(
  it: Who,
  bridgeNonce: string,
  secret: string,
  nonce = hexBytes(),
): { frame: Frame<FrameToBridge, 'auth'>; answer: Frame<FrameToExtension, 'proof'> } {
  const facts = { secret, host: it.host, nonces: { bridge: bridgeNonce, extension: nonce } };
  return {
    frame: { type: 'auth', ...knockerOf(it), nonce, mac: proveExtension(facts, it.origin) },
    answer: { type: 'proof', mac: proveBridge(facts) },
  };
}

/** Tries `code`: the frame that begins it, and what to do with the bridge's offer. */
export function startPairing(it: Who, bridgeNonce: string, code: string) {
  const exchange = beginExchange({
    role: 'extension',
    ...{ code, nonce: bridgeNonce, ...it },
    random: randomBytes(32),
  });
  return {
    frame: { type: 'pair', ...knockerOf(it), share: exchange.share } satisfies FrameToBridge,
    secretWith: (share: string): string => exchange.secretWith(share) ?? expect.fail('No share.'),
  };
}

/** Opens a socket and gets as far as the proof that the code is right. */
export async function tryCode(bridge: Bridge, code: string, change: Partial<Who> = {}) {
  const it = who(bridge, change);
  const client = await open(bridge.url, { origin: it.origin });
  const { nonce } = await client.challenge;
  const pairing = startPairing(it, nonce, code);
  client.send(pairing.frame);
  const offer = await Promise.race([client.next(), client.closed]);
  if (!('type' in offer)) return { client, secret: '', answer: null };
  if (offer.type !== 'offer') return expect.fail(`The bridge said ${offer.type}.`);
  const secret = pairing.secretWith(offer.share);
  const { frame, answer } = auth(it, nonce, secret);
  client.send(frame);
  return { client, secret, answer };
}

/** Knocks until the bridge shows a code, and returns it as it is typed. */
export async function askForCode(bridge: Bridge, change: Partial<Who> = {}): Promise<string> {
  const it = who(bridge, change);
  const client = await open(bridge.url, { origin: it.origin });
  client.send(knock(it, true));
  await client.closed;
  return readCode(bridge.pairing()?.code ?? '') ?? expect.fail('The bridge shows no code.');
}

/** A paired extension's secret. */
export async function pair(bridge: Bridge, change: Partial<Who> = {}): Promise<string> {
  const { client, secret, answer } = await tryCode(bridge, await askForCode(bridge, change), change);
  expect(await client.next()).toEqual(answer);
  client.socket.close();
  return secret;
}

/** Opens a socket, proves the secret and says hello; the bridge has welcomed it. */
export async function connect(bridge: Bridge, secret: string, change: Partial<Who & { instance: string }> = {}) {
  const { instance = ids.instance, ...rest } = change;
  const it = who(bridge, rest);
  const client: Client = await open(bridge.url, { origin: it.origin });
  const { frame, answer } = auth(it, (await client.challenge).nonce, secret);
  client.send(frame);
  expect(await client.next()).toEqual(answer);
  client.send(hello({ profile: it.profile, browser: it.browser, instance }));
  expect(await client.next()).toMatchObject({ type: 'welcome' });
  return client;
}
