import type { KeyTask } from '../command-line/tasks.ts';
import { openPrivateFolder } from '../journal/private-folder.ts';
import { createKey, keyFileIn, readKeys, revokeKey } from './keys.ts';

/**
 * `key …` on the command line. What programs may want to read goes to `print`, what people should know to `tell`. Throws
 * `SetupError` and `InsecureFolderError`.
 */
export function runKeyTask(
  task: KeyTask,
  options: { folder: string; now: Date; print: (line: string) => void; tell: (line: string) => void },
): void {
  const { folder, now, print, tell } = options;
  openPrivateFolder(folder);
  switch (task.type) {
    case 'create_key': {
      const isFirst = readKeys(folder) === null;
      print(createKey(folder, task.name, now));
      tell('This is shown once. Send it as “Authorization: Bearer …” or as “x-api-key”.');
      if (isFirst) tell('From now on every program needs a key.');
      return;
    }
    case 'list_keys': {
      const keys = readKeys(folder);
      for (const { name, created } of keys ?? []) print(`${name}  ${created}`);
      if (keys === null) tell('There never was a key: every program on this machine may call.');
      else if (keys.length === 0) tell(noneLeft(folder));
      return;
    }
    case 'revoke_key': {
      const left = revokeKey(folder, task.name);
      tell(`${task.name} is void.`);
      if (left === 0) tell(noneLeft(folder));
      return;
    }
  }
}

const noneLeft = (folder: string): string =>
  `No key is left, so nobody may call. Make one; or, to let every program on this machine call without, remove ${keyFileIn(folder)} and start the bridge again.`;
