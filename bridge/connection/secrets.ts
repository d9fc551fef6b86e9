import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The secrets that let an extension instance deliver answers over HTTP while its socket is down. */
export interface Secrets {
  /** A new secret for `instance`; its older one is void. */
  issue(instance: string): string;
  /** The instance that holds `secret`. */
  holder(secret: string): string | undefined;
  /** Makes the instance's secret void. */
  revoke(instance: string): void;
}

/** Instances come and go with the browser; only the last few can still hold an answer. */
const maxInstances = 32;

const hash = (secret: string) => createHash('sha256').update(secret).digest();

export function createSecrets(): Secrets {
  // Hashes, so that the comparison takes equally long for any guess of any length.
  const hashes = new Map<string, Buffer>();
  return {
    issue(instance) {
      const secret = randomBytes(32).toString('base64url');
      hashes.delete(instance);
      hashes.set(instance, hash(secret));
      for (const oldest of hashes.keys()) {
        if (hashes.size <= maxInstances) break;
        hashes.delete(oldest);
      }
      return secret;
    },
    holder(secret) {
      const given = hash(secret);
      return [...hashes].find(([, held]) => timingSafeEqual(held, given))?.[0];
    },
    revoke: (instance) => void hashes.delete(instance),
  };
}
