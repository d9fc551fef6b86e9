import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import * as v from 'valibot';

import { hasCode } from '../has-code.ts';
import { openPrivateFile } from '../journal/private-folder.ts';
import { SetupError } from '../setup-error.ts';

/** The functions here expect the folder to be there, and to be this person's alone (`openPrivateFolder`). */

/** A key as it is kept: enough to know it again, too little to use it. */
export interface Key {
  name: string;
  /** Hexadecimal. */
  sha256: string;
  /** ISO 8601. */
  created: string;
}

/** Short enough for a log line. Not what a key itself looks like: that belongs on no command line. */
export const keyNamePattern = /^(?!pb_)[a-z0-9][a-z0-9._-]{0,31}$/i;

const schema = v.strictObject({
  keys: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.regex(keyNamePattern)),
      sha256: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
      created: v.pipe(v.string(), v.isoTimestamp()),
    }),
  ),
});

export const keysFile = 'keys.json';
export const keyFileIn = (folder: string): string => join(folder, keysFile);

/**
 * The keys in `folder`; null where there never was one, which is something else than none that is left. Throws
 * `SetupError` where the file is not ours, `InsecureFolderError` where others have a way in.
 */
export function readKeys(folder: string): readonly Key[] | null {
  const path = keyFileIn(folder);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  openPrivateFile(folder, keysFile);
  try {
    return v.parse(schema, JSON.parse(readFileSync(path, 'utf8'))).keys;
  } catch (cause) {
    throw new SetupError(
      `${path} is not a list of keys that this bridge wrote. If a newer one did, update this one; else mend it, or move it away.`,
      { cause },
    );
  }
}

/** Makes a key and keeps its hash. What is returned is nowhere else. Throws `SetupError` where the name is taken. */
export function createKey(folder: string, name: string, now: Date): string {
  const key = `pb_${randomBytes(32).toString('base64url')}`;
  change(folder, (keys) => {
    if (keys.some((it) => it.name === name)) throw new SetupError(`There is a key named ${name} already.`);
    return [...keys, { name, sha256: hash(key).toString('hex'), created: now.toISOString() }];
  });
  return key;
}

/** Returns how many keys are left. Throws `SetupError` where none has this name. */
export function revokeKey(folder: string, name: string): number {
  return change(folder, (keys) => {
    const left = keys.filter((it) => it.name !== name);
    if (left.length === keys.length) throw new SetupError(`There is no key named ${name}.`);
    return left;
  }).length;
}

/** The one of `keys` that `given` is. */
export function findKey<K extends Key>(keys: readonly K[], given: string): K | undefined {
  // Hashes, so that the comparison takes equally long for any guess of any length.
  const hashed = hash(given);
  return keys.find(({ sha256 }) => timingSafeEqual(Buffer.from(sha256, 'hex'), hashed));
}

const hash = (key: string): Buffer => createHash('sha256').update(key).digest();

/** One change at a time, and whoever reads sees all of it or nothing. */
function change(folder: string, edit: (keys: readonly Key[]) => readonly Key[]): readonly Key[] {
  const path = keyFileIn(folder);
  const draft = `${path}.new`;
  const file = openDraft(draft);
  try {
    const keys = edit(readKeys(folder) ?? []);
    // A umask may have taken even more away.
    fchmodSync(file, 0o600);
    writeSync(file, `${JSON.stringify({ keys }, null, 2)}\n`);
    fsyncSync(file);
    renameSync(draft, path);
    return keys;
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function openDraft(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause;
    throw new SetupError(`Another command changes the keys just now. If none does, remove ${path}.`, { cause });
  }
}
