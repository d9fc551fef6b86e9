import { expect, it } from 'vitest';

import { reloadOnceIdle } from '../../extension/reload-once-idle.ts';
import type { ExtensionState } from '../../extension/state.ts';

/** A station that holds what the test says, and how often the extension was reloaded. */
function start(state: { held: number; awaitsSignIn: boolean }) {
  let told: ((state: ExtensionState) => void) | undefined;
  let reloads = 0;
  const become = (next: typeof state) => told?.(next as ExtensionState);
  const watch = (listener: typeof told) => {
    told = listener;
    become(state);
    return () => {};
  };
  reloadOnceIdle({ watch }, async () => void (reloads += 1));
  return { become, reloads: () => reloads };
}

it('reloads at once where nothing would be lost', () => {
  expect(start({ held: 0, awaitsSignIn: false }).reloads()).toBe(1);
});

it.each([
  ['a request is held', { held: 1, awaitsSignIn: false }],
  ['a sign-in may still come back', { held: 0, awaitsSignIn: true }],
])('waits while %s', (_, state) => {
  const { become, reloads } = start(state);
  become(state);
  expect(reloads()).toBe(0);
  become({ held: 0, awaitsSignIn: false });
  expect(reloads()).toBe(1);
});
