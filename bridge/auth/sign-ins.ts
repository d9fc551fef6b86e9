import { createHash, timingSafeEqual } from 'node:crypto';

/** The sign-ins that began in a tab and did not come back yet: one for each extension, each good once. */
export interface SignIns<C> {
  /** A newer one of the same extension takes the place of the older. */
  begin(extension: C, state: string): void;
  /** Whose sign-in `state` is, which is used up with that. */
  take(state: string): C | undefined;
  forget(extension: C): void;
}

const ttlMs = 5 * 60 * 1000;

const hash = (state: string) => createHash('sha256').update(state).digest();

export function createSignIns<C>(options: { now: () => number }): SignIns<C> {
  const { now } = options;
  // Hashes, so that the comparison takes equally long for any guess.
  const pending = new Map<C, { hash: Buffer; until: number }>();
  return {
    begin: (extension, state) => void pending.set(extension, { hash: hash(state), until: now() + ttlMs }),
    take(state) {
      const given = hash(state);
      const [extension, signIn] = [...pending].find(([, signIn]) => timingSafeEqual(signIn.hash, given)) ?? [];
      if (extension === undefined || signIn === undefined) return undefined;
      pending.delete(extension);
      return now() < signIn.until ? extension : undefined;
    },
    forget: (extension) => void pending.delete(extension),
  };
}
