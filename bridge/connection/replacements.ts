/**
 * Ends the quarrel of two pages of one profile that take the connection from each other again and again, which
 * nobody would notice and no call would survive.
 */
export interface Replacements {
  /** Whether one more page may take the place of another of its profile now; else for how many milliseconds not. */
  ask(profile: string): { retryAfterMs: number } | null;
}

const windowMs = 60_000;
const maxReplacements = 3;

/** `now` gives milliseconds on a clock that only goes forward. */
export function createReplacements(now: () => number): Replacements {
  const times = new Map<string, number[]>();
  return {
    ask(profile) {
      const recent = (times.get(profile) ?? []).filter((time) => now() - time < windowMs);
      const [oldest] = recent;
      if (oldest !== undefined && recent.length >= maxReplacements) {
        return { retryAfterMs: Math.ceil(oldest + windowMs - now()) };
      }
      times.set(profile, [...recent, now()]);
      return null;
    },
  };
}
