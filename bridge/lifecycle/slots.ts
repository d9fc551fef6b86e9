/**
 * Which calls occupy which connection. A slot belongs to the extension's lane, not to the request: a cancelled
 * call keeps its slot until the extension says that the lane is free, or until `cancelGraceMs` is over.
 */
export interface Slots<P> {
  peers(): P[];
  add(peer: P): void;
  remove(peer: P): void;
  take(peer: P, requestId: string): void;
  free(peer: P, requestId: string): void;
  /** Frees a slot later unless the peer does it first. False where there is no such slot. */
  expire(peer: P, requestId: string): boolean;
  taken(peer: P): number;
}

export function createSlots<P>(options: { cancelGraceMs: number; onFree: () => void }): Slots<P> {
  const { cancelGraceMs, onFree } = options;
  const slots = new Map<P, Map<string, NodeJS.Timeout | undefined>>();

  function free(peer: P, requestId: string): void {
    const taken = slots.get(peer);
    clearTimeout(taken?.get(requestId));
    taken?.delete(requestId);
  }

  return {
    peers: () => [...slots.keys()],
    add: (peer) => void slots.set(peer, new Map()),
    remove(peer) {
      for (const timer of slots.get(peer)?.values() ?? []) clearTimeout(timer);
      slots.delete(peer);
    },
    take: (peer, requestId) => void slots.get(peer)?.set(requestId, undefined),
    free,
    expire(peer, requestId) {
      const taken = slots.get(peer);
      if (!taken?.has(requestId)) return false;
      const timer = setTimeout(() => {
        free(peer, requestId);
        onFree();
      }, cancelGraceMs);
      taken.set(requestId, timer);
      return true;
    },
    taken: (peer) => slots.get(peer)?.size ?? 0,
  };
}
