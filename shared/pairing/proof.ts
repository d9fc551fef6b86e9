import { equalBytes } from '@noble/curves/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * How the two sides of a pairing show each other, on each connection anew, that they have its secret. What each says
 * of itself is in its proof, so that neither proof passes for the other, and the nonces of both, so that none passes
 * twice.
 */
export interface ProofFacts {
  /** Of the pairing, 32 bytes as hex. */
  secret: string;
  /** Where the extension dialled, and where the bridge listens: a go-between listens elsewhere. */
  host: string;
  nonces: { bridge: string; extension: string };
}

export const proveExtension = (facts: ProofFacts, origin: string): string =>
  prove(facts, `v1|ext|${facts.nonces.bridge}|${facts.nonces.extension}|${origin}`);

export const proveBridge = (facts: ProofFacts): string =>
  prove(facts, `v1|srv|${facts.nonces.extension}|${facts.nonces.bridge}`);

/** Takes equally long wherever they differ. */
export const isSameProof = (one: string, other: string): boolean => equalBytes(hexToBytes(one), hexToBytes(other));

function prove({ secret, host }: ProofFacts, text: string): string {
  const key = hmac(sha256, hexToBytes(secret), utf8ToBytes(`v1|key|${host}`));
  return bytesToHex(hmac(sha256, key, utf8ToBytes(text)));
}
