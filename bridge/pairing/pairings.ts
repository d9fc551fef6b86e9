import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import * as v from 'valibot';

import { hasCode } from '../has-code.ts';
import { InsecureFolderError, openPrivateFile, openPrivateFolder } from '../journal/private-folder.ts';

/** An extension that was let in once, and what it proves that by. */
export interface Pairing {
  readonly id: string;
  readonly origin: string;
  readonly profile: string;
  readonly browser: string;
  /** 32 bytes as hex. Never in a log, never on the wire. */
  readonly secret: string;
  /** ISO 8601. */
  readonly created: string;
  readonly lastSeen: string;
}

/**
 * Who is paired, in `pairings.json` of the state folder. The file is what counts, at every moment but those in which an
 * editor has nothing in it: a person unpairs an extension by taking it out of there. Only what it could not take lasts as
 * long as the bridge.
 */
export interface Pairings {
  find(origin: string, profile: string): Pairing | null;
  has(id: string): boolean;
  /** Whether any extension of this origin is paired. */
  hasOrigin(origin: string): boolean;
  /** In the place of what the same extension had before. */
  add(pairing: Pick<Pairing, 'origin' | 'profile' | 'browser' | 'secret'>): Pairing;
  /** It was here just now. */
  see(id: string): void;
}

/** The file is there and cannot be understood. Nothing is thrown away; the message says what to do. */
export class PairingsFileError extends Error {
  override readonly name = 'PairingsFileError';
}

export const pairingsFile = 'pairings.json';
/** How exact `lastSeen` is: an extension that comes and goes is no reason to write all the time. */
const seenMs = 60_000;
/** For so long a file that is empty or missing says nothing: many an editor empties or removes it, and then writes. */
const goneMs = 300;

/** Strict: what a newer bridge added would be lost with the next change. */
const pairingSchema = v.strictObject({
  id: v.string(),
  origin: v.string(),
  profile: v.string(),
  browser: v.string(),
  secret: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  created: v.string(),
  lastSeen: v.string(),
});
const fileSchema = v.strictObject({ pairings: v.array(pairingSchema) });

/** Throws `InsecureFolderError` where others have a way in, and `PairingsFileError`. */
export function openPairings(options: {
  folder: string;
  /** Milliseconds since 1970. */
  now: () => number;
  onTrouble: (error: unknown) => void;
  /** The file was found empty or missing, and stayed so: whoever was in it is not paired any more. */
  onGone: () => void;
}): Pairings {
  const { folder, now, onTrouble, onGone } = options;
  const file = path.join(folder, pairingsFile);
  try {
    prepare(folder);
  } catch (error) {
    // A disk that keeps nothing is no reason to answer nobody.
    if (error instanceof InsecureFolderError) throw error;
  }
  let known = read(file) ?? [];
  // Runs while there is nothing in the file, and that is not believed yet.
  let doubt: NodeJS.Timeout | undefined;
  // Who was paired while nothing could be kept, until it can.
  let unkept: readonly Pairing[] = [];

  /** Reads the file anew. */
  function look(): void {
    const found = read(file);
    if (found === null && known.length > 0) return void (doubt ??= setTimeout(believe, goneMs).unref());
    if (doubt) setImmediate(keepAll);
    clearTimeout(doubt);
    doubt = undefined;
    known = found ?? [];
  }

  function believe(): void {
    doubt = undefined;
    try {
      known = read(file) ?? [];
    } catch (error) {
      return onTrouble(error);
    }
    keepAll();
    onGone();
  }

  /** Writes down who was paired while that could not be. */
  function keepAll(): void {
    if (unkept.length > 0) change((pairings) => pairings);
  }

  function current(): readonly Pairing[] {
    try {
      look();
    } catch (error) {
      // Somebody writes it by hand and is not done: until then it is as it was.
      onTrouble(error);
    }
    return unkept.reduce(replace, known);
  }

  /** Where the disk keeps nothing, this is told, and nobody is turned away for it. */
  function change(make: (pairings: readonly Pairing[]) => readonly Pairing[]): void {
    try {
      look();
      // What somebody writes by hand and is not done with would be lost.
      if (doubt) return;
      write(make(unkept.reduce(replace, known)));
      unkept = [];
    } catch (error) {
      onTrouble(error);
    }
  }

  function write(pairings: readonly Pairing[]): void {
    const draft = `${file}.${randomUUID()}`;
    prepare(folder);
    try {
      writeFileSync(draft, `${JSON.stringify({ pairings }, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
      renameSync(draft, file);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
    known = pairings;
  }

  return {
    find: (origin, profile) => current().find((it) => it.origin === origin && it.profile === profile) ?? null,
    has: (id) => current().some((it) => it.id === id),
    hasOrigin: (origin) => current().some((it) => it.origin === origin),
    add({ origin, profile, browser, secret }) {
      const time = new Date(now()).toISOString();
      const pairing = { id: randomUUID(), origin, profile, browser, secret, created: time, lastSeen: time };
      unkept = replace(unkept, pairing);
      keepAll();
      return pairing;
    },
    see(id) {
      const before = current().find((it) => it.id === id);
      if (!before || now() - Date.parse(before.lastSeen) < seenMs) return;
      const lastSeen = new Date(now()).toISOString();
      change((pairings) => pairings.map((it) => (it.id === id ? { ...it, lastSeen } : it)));
    },
  };
}

/** With `added` in the place of what the same extension had before. */
const replace = (pairings: readonly Pairing[], added: Pairing): readonly Pairing[] => [
  ...pairings.filter((it) => it.origin !== added.origin || it.profile !== added.profile),
  added,
];

function prepare(folder: string): void {
  openPrivateFolder(folder);
  openPrivateFile(folder, pairingsFile);
}

/** Null where there is nothing: it is missing, was just made, or was emptied, for a moment or to unpair all. */
function read(file: string): readonly Pairing[] | null {
  const text = readOrNothing(file);
  if (text.trim() === '') return null;
  try {
    return v.parse(fileSchema, JSON.parse(text)).pairings;
  } catch {
    // Without the cause, which repeats what is in the file.
    throw new PairingsFileError(
      `${path.basename(file)} in ${path.dirname(file)} cannot be read. If a newer bridge wrote it, update this one; else mend it, or delete it and pair each extension anew.`,
    );
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}
