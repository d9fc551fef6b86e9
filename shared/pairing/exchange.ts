import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

import { beginCPace, joinWithLengths } from './cpace.ts';

/** One side of a pairing: from the code that both know to the secret that both keep. */
export interface Exchange {
  /** What the other side is sent, 32 bytes as hex. */
  share: string;
  /** The pairing secret, 32 bytes as hex; null where the other side's share is none. */
  secretWith(share: string): string | null;
}

/** Begins to pair. But for `role` and `random` all must be the same on both sides, or the secrets are not. */
export function beginExchange(options: {
  role: 'extension' | 'bridge';
  code: string;
  /** The bridge's, from its challenge. */
  nonce: string;
  /** Of the extension. */
  origin: string;
  profile: string;
  browser: string;
  /** Where the extension finds the bridge: whoever stands between them listens elsewhere. */
  host: string;
  /** 32 bytes that nobody knows, for this exchange alone. */
  random: Uint8Array;
}): Exchange {
  const { role, code, nonce, origin, profile, browser, host, random } = options;
  const data = { extension: utf8ToBytes(browser), bridge: new Uint8Array() };
  const half = beginCPace({
    role: role === 'extension' ? 'initiator' : 'responder',
    password: utf8ToBytes(code),
    channel: joinWithLengths(utf8ToBytes(`extension|${origin}|${profile}`), utf8ToBytes(`bridge|${host}`)),
    session: hexToBytes(nonce),
    data: data[role],
    random,
  });
  const theirData = data[role === 'extension' ? 'bridge' : 'extension'];
  return {
    share: bytesToHex(half.message.share),
    secretWith(share) {
      const key = half.agree({ share: hexToBytes(share), data: theirData });
      return key && bytesToHex(hkdf(sha256, key, undefined, utf8ToBytes('puter-bridge v1 pairing secret'), 32));
    },
  };
}
