/** The ceiling of the first wait and of the last, in milliseconds. */
const firstMs = 500;
const lastMs = 2500;

/**
 * How long to wait before dialling again: anywhere between nothing and a ceiling that doubles (full jitter), so
 * that many extensions do not come back in step. Whoever comes back within 3 s of the bridge's own return needs
 * the ceiling a little below that.
 */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(lastMs, firstMs * 2 ** Math.min(attempt, 10)));
}
