import { fileURLToPath } from 'node:url';

import { createTemporaryFolder } from '../temporary-folder.ts';
import type { Bed } from './bench.ts';
import { run, start } from './processes.ts';

/** Of this repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** `close` ends, newest first, whatever was started with it. */
export function createBed(signal: AbortSignal): Bed & { close(): Promise<void> } {
  const ends: (() => Promise<unknown>)[] = [];

  async function keep<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
    const it = await starting;
    ends.push(() => it.close());
    return it;
  }

  return {
    signal,
    async folder() {
      const { dir, remove } = await createTemporaryFolder('bench');
      ends.push(remove);
      return dir;
    },
    serve: (command) => keep(start('serve', command, signal)),
    assist: (command) => keep(start('load', command, signal)),
    load: (name, options) => run('load', [`${root}dist/bench/load/${name}.js`, JSON.stringify(options)], signal),
    onEnd: (end) => void ends.push(end),
    async close() {
      for (const end of ends.splice(0).toReversed()) await end();
    },
  };
}
