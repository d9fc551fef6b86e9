import * as v from 'valibot';

/** What this account may use this month, and what is left of it. */
export interface Allowance {
  total: number;
  left: number;
  unit: 'dollars' | 'credits';
  /** Milliseconds since 1970. */
  resetsAt: number;
}

// Read in Puter's source: amounts are microcents, unless the deployment shows credits instead and says so.
const usageSchema = v.object({
  allowanceInfo: v.object({
    monthUsageAllowance: v.number(),
    remaining: v.number(),
    unit: v.optional(v.string()),
  }),
});
const microcentsPerDollar = 100_000_000;
const timeoutMs = 10_000;

/** Undefined where Puter does not tell. */
export async function fetchAllowance(options: {
  token: string;
  apiOrigin: string;
  now: () => number;
  signal: AbortSignal;
}): Promise<Allowance | undefined> {
  const { token, apiOrigin, now, signal } = options;
  try {
    const response = await fetch(`${apiOrigin}/metering/usage`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      cache: 'no-store',
    });
    const { monthUsageAllowance, remaining, unit } = v.parse(usageSchema, await response.json()).allowanceInfo;
    const scale = unit === 'credits' ? 1 : microcentsPerDollar;
    return {
      total: monthUsageAllowance / scale,
      left: Math.max(0, remaining / scale),
      unit: unit === 'credits' ? 'credits' : 'dollars',
      resetsAt: monthEnd(now()),
    };
  } catch {
    return undefined;
  }
}

/** Puter counts by calendar months in UTC. */
export function monthEnd(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
