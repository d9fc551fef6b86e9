import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

import type { DestinationStream } from 'pino';

import { openPrivateFile } from '../journal/private-folder.ts';

/** How seldom it is looked whether the file is still there. */
const lookMs = 1000;
const defaultSize = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 };

/**
 * Appends to the file `name`, for this person alone, and makes it where it is missing, or went missing. A file that is full
 * becomes `name.1`, and so on to the oldest, which goes. What cannot be written is lost: nothing waits or ends because of a
 * log. Throws `InsecureFolderError` where others have a way in, and Node's error where there can be no such file.
 */
export function openLogFile(
  name: string,
  options: { onTrouble: (error: unknown) => void; maxBytes?: number; maxFiles?: number },
): DestinationStream {
  const { onTrouble, maxBytes, maxFiles } = { ...defaultSize, ...options };
  const folder = path.dirname(name);
  let file: number | undefined;
  let size = 0;
  let lookedAt = performance.now();
  let isTroubled = false;

  function open(): number {
    const opened = openSync(openPrivateFile(folder, path.basename(name), '--log-file'), 'a');
    size = fstatSync(opened).size;
    return opened;
  }

  /** Closes it where it is there no longer: who removed or moved it wants another. */
  function lookAgain(opened: number): number | undefined {
    lookedAt = performance.now();
    const [ours, there] = [fstatSync(opened), statSync(name, { throwIfNoEntry: false })];
    if (there?.ino === ours.ino && there.dev === ours.dev) return opened;
    closeSync(opened);
    return undefined;
  }

  function makeRoom(full: number): number {
    closeSync(full);
    file = undefined;
    for (let index = maxFiles - 1; index > 0; index -= 1) {
      const newer = index === 1 ? name : `${name}.${index - 1}`;
      if (existsSync(newer)) renameSync(newer, `${name}.${index}`);
    }
    return open();
  }

  mkdirSync(folder, { recursive: true, mode: 0o700 });
  file = open();
  return {
    write(line) {
      try {
        const bytes = Buffer.byteLength(line);
        if (file !== undefined && performance.now() - lookedAt > lookMs) file = lookAgain(file);
        file ??= open();
        if (size > 0 && size + bytes > maxBytes) file = makeRoom(file);
        writeSync(file, line);
        size += bytes;
        isTroubled = false;
      } catch (error) {
        if (!isTroubled) {
          isTroubled = true;
          onTrouble(error);
        }
      }
    },
  };
}
