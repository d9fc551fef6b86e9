import { setTimeout as delay } from 'node:timers/promises';

const betweenMs = 100;

/** Whether a bridge answers there, or what passes for one. */
export async function answers(url: string, signal = AbortSignal.timeout(1000)): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal })).ok;
  } catch {
    return false;
  }
}

/** The same, as soon as it does or once that took `ms`. */
export async function answersWithin(url: string, ms: number): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  while (!signal.aborted) {
    if (await answers(url, signal)) return true;
    await delay(betweenMs);
  }
  return false;
}
