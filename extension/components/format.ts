/** Amounts as people read them. */

/** `40 ms`, `0.4 s`, `12 s`, `2:05 min`. */
export function duration(ms: number): string {
  if (ms < 95) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
}

/** `1,234` */
export const count = (value: number): string => value.toLocaleString('en');

/** `$0.25`; what is smaller than a cent keeps two digits that say something. */
export function dollars(value: number): string {
  // From here on, two such digits would be “0.1”.
  const digits = value === 0 || value >= 0.0995 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 2 };
  return `$${value.toLocaleString('en', { minimumFractionDigits: 2, ...digits })}`;
}

/** `12:05` for a time of today, else `24 Nov`. */
export function clock(iso: string): string {
  const time = new Date(iso);
  return time.toDateString() === new Date().toDateString()
    ? time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}
