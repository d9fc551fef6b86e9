import { watch } from 'node:fs';

/** For file systems that do not tell of changes. */
const lookAgainMs = 10_000;

/**
 * Calls `onChange` at once where one of these files of `folder` was changed, replaced or deleted, by whomever, and every
 * ten seconds. Where the system tells nothing, these have to do. Returns how to stop.
 */
export function watchFiles(folder: string, names: readonly string[], onChange: () => void): () => void {
  const timer = setInterval(onChange, lookAgainMs).unref();
  const stopWatching = watchFolder(folder, (name) => {
    if (name === null || names.includes(name)) onChange();
  });
  return () => {
    clearInterval(timer);
    stopWatching();
  };
}

/** The folder, since a file that is replaced is another file. */
function watchFolder(folder: string, onChange: (name: string | null) => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => onChange(name));
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    // There is none, or there are too many watchers on this machine, for example.
    return () => {};
  }
}
