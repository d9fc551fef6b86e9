import { statSync } from 'node:fs';

import { BridgeError } from '#shared/errors.ts';

import { hasCode } from '../has-code.ts';
import { openPrivateFolder } from '../journal/private-folder.ts';
import { findKey, keyFileIn, readKeys, type Key } from './keys.ts';

export interface HeldKey {
  name: string;
  /** Of this key alone, also where its name was another's before. */
  id: string;
  /** Aborts when it is revoked. */
  revoked: AbortSignal;
}

/** The keys of a running bridge: what the command line changes holds from the next request on. */
export interface KeyRing {
  /** From the first key on, even where none is left: to revoke a key must never let more programs in. */
  readonly isLocked: boolean;
  /** Aborts as it becomes that. */
  readonly locked: AbortSignal;
  readonly size: number;
  find(given: string): HeldKey | undefined;
  /** Revokes what runs with keys that are no longer in the file; what is asked anew is checked by the file anyway. */
  refresh(): void;
}

type Held = Key & { abort: AbortController };

/** Longer than a tick of any disk's clock, in which two changes have the same time. */
const tickMs = 50;
/** What cannot be read for less is being written. */
const lastingMs = 1000;

/**
 * Reads the keys in `folder`, which is made where it is missing, and again after every change. Throws as `readKeys`
 * does; what can no longer be read later is told where that lasts, and the keys that were read last stay.
 */
export function openKeyRing(folder: string, options: { onTrouble: (error: unknown) => void }): KeyRing {
  const { onTrouble } = options;
  const path = keyFileIn(folder);
  let isOpened = false;
  try {
    open();
  } catch (error) {
    if (!isNowhere(error)) throw error;
    onTrouble(error);
  }
  let held: Held[] = [];
  const lock = new AbortController();
  let seen = { stamp: stampOf(path), at: performance.now() };
  // Whether no later change can have the stamp of what was read. Where there is no folder, that was told already.
  let isFinal = !isOpened;
  let trouble: { since: number; told: string } | null = null;
  if (isOpened) take(readKeys(folder));

  function open(): void {
    openPrivateFolder(folder);
    isOpened = true;
  }

  function take(keys: readonly Key[] | null): void {
    const before = held;
    held = (keys ?? []).map((key) => ({ ...key, abort: abortOf(before, key) ?? new AbortController() }));
    for (const key of before) if (!abortOf(held, key)) key.abort.abort(revoked());
    if (keys) lock.abort();
  }

  function refresh(): void {
    const stamp = stampOf(path);
    if (stamp === seen.stamp && isFinal) return;
    const now = performance.now();
    if (stamp !== seen.stamp) [seen, isFinal] = [{ stamp, at: now }, false];
    try {
      // Somebody mended what it could not be made for, and made it.
      if (!isOpened) open();
      take(readKeys(folder));
      isFinal = now - seen.at >= tickMs;
      trouble = null;
    } catch (error) {
      trouble ??= { since: now, told: '' };
      if (now - trouble.since < lastingMs || trouble.told === stamp) return;
      // Once for each state of the file.
      trouble.told = stamp;
      onTrouble(error);
    }
  }

  let isFresh = false;
  /** Before a request, once a turn of the event loop: all that came in with one was sent before it began. */
  function refreshOnceATurn(): void {
    if (isFresh) return;
    isFresh = true;
    setImmediate(() => (isFresh = false));
    refresh();
  }

  return {
    get isLocked() {
      refreshOnceATurn();
      return lock.signal.aborted;
    },
    locked: lock.signal,
    get size() {
      return held.length;
    },
    find(given) {
      refreshOnceATurn();
      const found = findKey(held, given);
      return found && { name: found.name, id: found.sha256.slice(0, 16), revoked: found.abort.signal };
    },
    refresh,
  };
}

/** The folder can be neither found nor made: then it holds no keys, and a disk that takes nothing stops nobody. */
const isNowhere = (error: unknown): boolean => hasCode(error, 'EEXIST', 'ENOTDIR', 'EROFS', 'ENOSPC', 'EDQUOT');

const revoked = () => new BridgeError('invalid_api_key', 'This key was revoked.');

/** By the hash, for a name may be used again by another key. */
const abortOf = (held: readonly Held[], { sha256 }: Key): AbortController | undefined =>
  held.find((it) => it.sha256 === sha256)?.abort;

/** Another for every change, also of the mode or the owner, except for one of the same size within `tickMs`. */
function stampOf(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats ? `${stats.ino} ${stats.ctimeNs} ${stats.size}` : 'missing';
  } catch {
    return 'unreadable';
  }
}
