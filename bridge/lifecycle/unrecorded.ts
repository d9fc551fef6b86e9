import { createTransientMap } from '#shared/transient-map.ts';

/** What has come to its end and is not on disk yet: until it is, its extension keeps it, too. */
export interface Unrecorded {
  add(requestId: string, instance: string): void;
  /** The extension that keeps it; undefined where there is no such request. */
  keeper(requestId: string): string | undefined;
  /** Resolves once it is on disk. */
  recorded(requestId: string): Promise<void>;
  /** It is on disk now. */
  remove(requestId: string): void;
}

export function createUnrecorded(): Unrecorded {
  const kept = createTransientMap<{ instance: string; recorded: PromiseWithResolvers<void> }>();

  return {
    add: (requestId, instance) => kept.set(requestId, { instance, recorded: Promise.withResolvers() }),
    keeper: (requestId) => kept.get(requestId)?.instance,
    recorded: (requestId) => kept.get(requestId)?.recorded.promise ?? Promise.resolve(),
    remove(requestId) {
      kept.get(requestId)?.recorded.resolve();
      kept.delete(requestId);
    },
  };
}
