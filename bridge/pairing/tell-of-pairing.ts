import type { Failure } from '#shared/errors.ts';

/** Where no extension is connected because the one that knocks is not paired, callers are told that instead. */
export function tellOfPairing(failure: Failure, isKnocking: boolean): Failure {
  if (failure.code !== 'extension_not_connected' || !isKnocking) return failure;
  const message =
    'The extension is not paired with the bridge yet. Open its popup in the browser, and type the code that the bridge shows in its terminal and on its page.';
  return { ...failure, message };
}
