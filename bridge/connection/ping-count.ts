/** Counts pings by the second: false where one is beyond `perSecond`. `now` in milliseconds. */
export function createPingCount(perSecond: number, now: () => number): () => boolean {
  let since = now();
  let count = 0;
  return () => {
    if (now() - since >= 1000) {
      since = now();
      count = 0;
    }
    count += 1;
    return count <= perSecond;
  };
}
