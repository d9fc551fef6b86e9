import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * CPace with ristretto255 and SHA-512, between one who begins and one who answers, after draft-irtf-cfrg-cpace-21:
 * https://datatracker.ietf.org/doc/draft-irtf-cfrg-cpace/21/
 *
 * Two sides that know the same password get the same key, and two that do not get different ones. Whoever listens learns
 * nothing about the password, and whoever takes part can try one password for each run, and none afterwards. The short
 * names are those of the draft, whose own numbers the tests compare with.
 */

const { Point } = ristretto255;
type Point = InstanceType<typeof Point>;

const dsi = utf8ToBytes('CPaceRistretto255');
const dsiIsk = utf8ToBytes('CPaceRistretto255_ISK');
const hashBlockBytes = 128;

/** What one side sends: its share (Ya or Yb), and what goes along in the clear (ADa or ADb). */
export interface Message {
  share: Uint8Array;
  data: Uint8Array;
}

/** One side of a run, until the other's message is there. */
export interface Half {
  readonly message: Message;
  /** The key of 64 bytes, the other side's too where it knew the password; null where its share is none. */
  agree(theirs: Message): Uint8Array | null;
}

/** Begins a run. All but `role`, `data` and `random` must be the same on both sides. */
export function beginCPace(options: {
  role: 'initiator' | 'responder';
  /** PRS. */
  password: Uint8Array;
  /** CI: who talks to whom. */
  channel: Uint8Array;
  /** sid: this run and no other. */
  session: Uint8Array;
  data: Uint8Array;
  /** 32 bytes that nobody knows, for this run alone. */
  random: Uint8Array;
}): Half {
  const { role, session, data, random } = options;
  const scalar = toScalar(random);
  const message = { share: generator(options).multiply(scalar).toBytes(), data };
  return {
    message,
    agree(theirs) {
      const secret = multiplyVerified(scalar, theirs.share);
      if (secret === null) return null;
      const transcript = role === 'initiator' ? [message, theirs] : [theirs, message];
      return sha512(
        joinWithLengths(dsiIsk, session, secret, ...transcript.flatMap(({ share, data }) => [share, data])),
      );
    },
  };
}

function generator(options: { password: Uint8Array; channel: Uint8Array; session: Uint8Array }): Point {
  const { password, channel, session } = options;
  // Fills the first block whatever the password's length, so that hashing takes equally long.
  const padding = Math.max(0, hashBlockBytes - 1 - withLength(password).length - withLength(dsi).length);
  const bytes = sha512(joinWithLengths(dsi, password, new Uint8Array(padding), channel, session));
  const derive = ristretto255_hasher.deriveToCurve;
  if (!derive) throw new Error('This @noble/curves derives no element of ristretto255.');
  return derive(bytes);
}

/** As the draft samples: 252 bits, the lowest byte first. */
const toScalar = (random: Uint8Array): bigint => bytesToNumberLE(random) & (2n ** 252n - 1n);

/** Null for what encodes no element, and for the neutral one. */
function multiplyVerified(scalar: bigint, share: Uint8Array): Uint8Array | null {
  try {
    const product = Point.fromBytes(share).multiply(scalar);
    return product.is0() ? null : product.toBytes();
  } catch {
    return null;
  }
}

/** The length as LEB128, then the bytes. */
function withLength(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>= 7) length.push((rest & 127) | 128);
  return concatBytes(Uint8Array.of(...length, rest), bytes);
}

/** No two lists of parts give the same bytes. */
export const joinWithLengths = (...parts: Uint8Array[]): Uint8Array => concatBytes(...parts.map(withLength));
