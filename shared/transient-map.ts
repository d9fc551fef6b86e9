/**
 * A map for what comes and goes by the thousand. V8's own makes itself anew every so often, and each that it was keeps
 * hold of the next, with all that was in it: once one of them is old, nothing that comes after is freed before a full
 * collection. Here such a chain holds empty cells.
 */
export interface TransientMap<V> {
  get(key: string): V | undefined;
  has(key: string): boolean;
  set(key: string, value: V): void;
  /** False where there is none. */
  delete(key: string): boolean;
  /** In the order in which their keys came. */
  values(): Iterable<V>;
  readonly size: number;
}

interface Cell<V> {
  value: V | undefined;
}

export function createTransientMap<V>(): TransientMap<V> {
  const cells = new Map<string, Cell<V>>();

  return {
    get: (key) => cells.get(key)?.value,
    has: (key) => cells.has(key),
    set(key, value) {
      const cell = cells.get(key);
      if (cell) cell.value = value;
      else cells.set(key, { value });
    },
    delete(key) {
      const cell = cells.get(key);
      if (!cell) return false;
      cell.value = undefined;
      return cells.delete(key);
    },
    *values() {
      for (const { value } of cells.values()) if (value !== undefined) yield value;
    },
    get size() {
      return cells.size;
    },
  };
}
