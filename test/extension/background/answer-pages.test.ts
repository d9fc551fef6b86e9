import { expect, it, onTestFinished, vi } from 'vitest';

import { answerPages } from '../../../extension/background/answer-pages.ts';

type Options = Parameters<typeof answerPages>[0];
type Listener = (message: object, sender: { id: string }, respond: (answer: unknown) => void) => boolean;

/** The background in a browser that stores, has updates for the extension, and whose windows the test closes. */
function start(reloadOnceIdle: Options['reloadOnceIdle'] = async (reload) => void reload().catch(() => {})) {
  const updates: (() => void)[] = [];
  const listeners: Listener[] = [];
  const windows: PromiseWithResolvers<string>[] = [];
  const stored: Record<string, unknown> = {};
  const reload = vi.fn<() => void>();
  const nothing = async () => {};
  const area = { get: async () => stored, set: async (items: object) => void Object.assign(stored, items) };
  vi.stubGlobal('chrome', {
    runtime: {
      id: 'ours',
      getManifest: () => ({ version: '1.2.3' }),
      onMessage: { addListener: (listener: Listener) => listeners.push(listener) },
      onInstalled: { addListener: () => {} },
      onUpdateAvailable: { addListener: (listener: () => void) => updates.push(listener) },
      reload,
    },
    storage: { local: area, session: area },
    identity: {
      getRedirectURL: () => 'https://ours.example/',
      launchWebAuthFlow() {
        const window = Promise.withResolvers<string>();
        windows.push(window);
        return window.promise;
      },
    },
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const beginSignIn = () => Promise.reject(new Error('There is no station.'));
  answerPages({ beginSignIn, showState: nothing, wake: nothing, hold: () => () => {}, reloadOnceIdle });

  const ask = (name: string) =>
    new Promise<unknown>((resolve) => {
      for (const listener of listeners) listener({ to: 'background', name }, { id: 'ours' }, resolve);
    });
  return {
    reload,
    ask,
    update: () => updates.forEach((tell) => tell()),
    outcome: () => stored['outcome'],
    /** Signs in; resolves once the window is there, with how to close it. */
    async openWindow() {
      const count = windows.length;
      const answer = ask('signIn');
      await expect.poll(() => windows.length).toBe(count + 1);
      return async () => {
        windows[count]?.reject(new Error('The user did not approve access.'));
        await answer;
      };
    },
  };
}

it('an update waits for what the station holds', async () => {
  const asked = Promise.withResolvers<void>();
  const { reload, update } = start(async () => asked.resolve());
  update();
  await asked.promise;
  expect(reload).not.toHaveBeenCalled();
});

it('an update comes in at once where there is no station that could hold anything', async () => {
  const { reload, update } = start(() => Promise.reject(new Error('Nobody answered.')));
  update();
  await expect.poll(() => reload.mock.calls.length).toBe(1);
});

it('an update waits until every window of a sign-in is closed', async () => {
  const { reload, update, openWindow } = start();
  const closeFirst = await openWindow();
  const closeSecond = await openWindow();
  update();
  await closeFirst();
  expect(reload).not.toHaveBeenCalled();
  await closeSecond();
  await expect.poll(() => reload.mock.calls.length).toBe(1);
});

it('an update waits for the window of a sign-in also where there is no station', async () => {
  const { reload, update, openWindow } = start(() => Promise.reject(new Error('Nobody answered.')));
  const close = await openWindow();
  update();
  await new Promise((resolve) => setImmediate(resolve));
  expect(reload).not.toHaveBeenCalled();
  await close();
  await expect.poll(() => reload.mock.calls.length).toBe(1);
});

it('a station that nothing keeps any more is asked again after the sign-in that does', async () => {
  let questions = 0;
  const { reload, ask, openWindow } = start(async () => void (questions += 1));
  const close = await openWindow();
  expect(await ask('reload')).toHaveProperty('error');
  expect([reload.mock.calls.length, questions]).toEqual([0, 0]);
  await close();
  expect(questions).toBe(1);
  expect(await ask('reload')).toHaveProperty('value');
  expect(reload).toHaveBeenCalledTimes(1);
});

it('only the latest sign-in says how it went', async () => {
  const { outcome, openWindow } = start();
  const closeFirst = await openWindow();
  const closeSecond = await openWindow();
  await closeFirst();
  expect(outcome()).toEqual({ status: 'waiting', sentence: 'sign_in_waiting' });
  await closeSecond();
  expect(outcome()).toEqual({ status: 'failed', sentence: 'sign_in_closed' });
});

it('a sign-in that breaks is not waited for', async () => {
  const { ask, outcome } = start();
  await ask('signInInTab');
  expect(outcome()).toEqual({ status: 'failed', sentence: 'no_answer' });
});
