import { expect, it, onTestFinished, vi } from 'vitest';

import { answerPages } from '../../../extension/background/answer-pages.ts';

/** A browser that has an update for the extension. */
function offerUpdate(reloadOnceIdle: () => Promise<unknown>) {
  const updates: (() => void)[] = [];
  const reload = vi.fn<() => void>();
  const event = { addListener: () => {} };
  const onUpdateAvailable = { addListener: (listener: () => void) => updates.push(listener) };
  vi.stubGlobal('chrome', { runtime: { onMessage: event, onInstalled: event, onUpdateAvailable, reload } });
  onTestFinished(() => void vi.unstubAllGlobals());
  const nothing = async () => {};
  const beginSignIn = async () => ({ url: 'https://puter.example' });
  answerPages({ beginSignIn, showState: nothing, wake: nothing, hold: () => () => {}, reloadOnceIdle });
  for (const update of updates) update();
  return { reload };
}

it('an update waits for what the station holds', async () => {
  const asked = Promise.withResolvers<void>();
  const { reload } = offerUpdate(async () => asked.resolve());
  await asked.promise;
  expect(reload).not.toHaveBeenCalled();
});

it('an update comes in at once where there is no station that could hold anything', async () => {
  const { reload } = offerUpdate(() => Promise.reject(new Error('Nobody answered.')));
  await expect.poll(() => reload.mock.calls.length).toBe(1);
});
