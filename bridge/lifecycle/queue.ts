/** How soon a request should go: what somebody waits for at a screen, before what runs by itself. */
export type Priority = 'high' | 'normal';

/**
 * Who goes next. Callers take turns, so that one with many requests does not keep out one with few; a caller's own go in
 * order. High priority goes first, yet every so often one of the others does, so that none starves.
 */
export interface Queue<T> {
  push(item: T, scope: string, priority: Priority): void;
  /** Back to the very front: it had its turn already. */
  putBack(item: T, scope: string, priority: Priority): void;
  next(): T | undefined;
  /** False where it is not in the queue. */
  remove(item: T): boolean;
  readonly size: number;
  sizeOf(scope: string): number;
}

/** After this many of high priority in a row, one of normal priority goes. */
const highInARow = 3;

export function createQueue<T>(): Queue<T> {
  const lanes = { high: createTurns<T>(), normal: createTurns<T>() };
  const places = new Map<T, { scope: string; priority: Priority }>();
  const sizes = new Map<string, number>();
  let highs = 0;

  function place(item: T, scope: string, priority: Priority): void {
    places.set(item, { scope, priority });
    sizes.set(scope, (sizes.get(scope) ?? 0) + 1);
  }

  function leave(item: T): { scope: string; priority: Priority } | undefined {
    const found = places.get(item);
    if (!found) return undefined;
    places.delete(item);
    const left = (sizes.get(found.scope) ?? 1) - 1;
    if (left === 0) sizes.delete(found.scope);
    else sizes.set(found.scope, left);
    return found;
  }

  return {
    push(item, scope, priority) {
      place(item, scope, priority);
      lanes[priority].push(item, scope);
    },
    putBack(item, scope, priority) {
      place(item, scope, priority);
      lanes[priority].putBack(item, scope);
    },
    next() {
      const isTurnOfNormal = highs >= highInARow && lanes.normal.hasAny();
      const item = (isTurnOfNormal ? undefined : lanes.high.next()) ?? lanes.normal.next() ?? lanes.high.next();
      if (item === undefined) return undefined;
      highs = leave(item)?.priority === 'high' ? highs + 1 : 0;
      return item;
    },
    remove(item) {
      const found = leave(item);
      if (found) lanes[found.priority].remove(item, found.scope);
      return found !== undefined;
    },
    get size() {
      return places.size;
    },
    sizeOf: (scope) => sizes.get(scope) ?? 0,
  };
}

/** Scopes in turn, each with its own items in order. */
function createTurns<T>() {
  // Sets and maps keep the order of insertion, give the first and lose any in constant time.
  const scopes = new Map<string, Set<T>>();
  let putBack: { item: T; scope: string }[] = [];

  return {
    hasAny: () => putBack.length > 0 || scopes.size > 0,
    push(item: T, scope: string): void {
      const items = scopes.get(scope);
      if (items) items.add(item);
      else scopes.set(scope, new Set([item]));
    },
    putBack(item: T, scope: string): void {
      putBack.push({ item, scope });
    },
    next(): T | undefined {
      const returned = putBack.shift();
      if (returned) return returned.item;
      for (const [scope, items] of scopes) {
        const [first] = items;
        items.delete(first as T);
        // To the end of the round.
        scopes.delete(scope);
        if (items.size > 0) scopes.set(scope, items);
        return first;
      }
      return undefined;
    },
    remove(item: T, scope: string): void {
      putBack = putBack.filter((it) => it.item !== item);
      const items = scopes.get(scope);
      items?.delete(item);
      if (items?.size === 0) scopes.delete(scope);
    },
  };
}
