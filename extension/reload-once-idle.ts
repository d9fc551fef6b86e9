import type { Station } from './station.ts';

/** Reloads the extension, which brings its update in, once nothing would be lost with its pages. */
export function reloadOnceIdle({ watch }: Pick<Station, 'watch'>, reload: () => Promise<unknown>): void {
  watch(({ held, awaitsSignIn }) => {
    // What fails is tried again with the next change.
    if (held === 0 && !awaitsSignIn) void reload().catch(() => {});
  });
}
