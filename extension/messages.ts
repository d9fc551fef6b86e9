import type { BadgeState } from './background/badge.ts';
import type { SignInOutcome } from './background/sign-in.ts';
import type { Settings } from './settings.ts';
import type { Station } from './station.ts';
import type { Context, NewPairing, Session } from './storage.ts';

/**
 * The messages between our own pages: the name is the key, and the function its signature. Messages go to every
 * other page at once, so each names whom it is for: the background, which may use every API of the browser, or the
 * station. In Chrome the two are pages of their own; in Firefox they are one, and ask each other without messages.
 */
export interface BackgroundMessages {
  /** What the station is to work with. */
  context(): Context;
  /** Opens Puter's own sign-in page, in a window of the browser's own. */
  signIn(): SignInOutcome;
  /** The same in a tab, where that window does not do. */
  signInInTab(): SignInOutcome;
  keepSession(session: Session): null;
  keepPairing(pairing: NewPairing): null;
  signOut(): null;
  pause(paused: boolean): null;
  /** Changes some settings and keeps the others; done even where the page that asked is gone by then. */
  changeSettings(change: Partial<Settings>): null;
  /** Paints the light on the toolbar. */
  showState(state: BadgeState): null;
  /** Makes sure that the station runs. */
  wake(): null;
  /** Ends all our pages and starts anew, in the version that waits where one does. */
  reload(): null;
}

export interface StationMessages {
  contextChanged(context: Context): null;
  stopCall(requestId: string): null;
  retry(): null;
  pair(code: string): Awaited<ReturnType<Station['pair']>>;
  beginSignIn(): ReturnType<Station['beginSignIn']>;
  /** Asks the background for `reload` as soon as nothing would be lost. */
  reloadOnceIdle(): null;
}

/** The port on which the station sends every new `ExtensionState`. */
export const statePort = 'state';

type Messages = Record<string, (argument: never) => unknown>;
export type Handlers<M> = {
  [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => R | Promise<R> : never;
};
interface Envelope {
  to: string;
  name: string;
  argument: unknown;
}

type Answer<R> = { value: R } | { error: string };

function isEnvelope(value: unknown, to: string): value is Envelope {
  return typeof value === 'object' && value !== null && 'to' in value && value.to === to && 'name' in value;
}

export const listenAsBackground = (handlers: Handlers<BackgroundMessages>): void => listen('background', handlers);
export const listenAsStation = (handlers: Handlers<StationMessages>): void => listen('station', handlers);

/** Rejects where the receiver is not there, or failed. */
export const askBackground = <K extends keyof BackgroundMessages>(
  name: K,
  ...argument: Parameters<BackgroundMessages[K]>
): Promise<ReturnType<BackgroundMessages[K]>> => ask('background', name, argument[0]);

export const askStation = <K extends keyof StationMessages>(
  name: K,
  ...argument: Parameters<StationMessages[K]>
): Promise<ReturnType<StationMessages[K]>> => ask('station', name, argument[0]);

async function ask<R>(to: string, name: string, argument: unknown): Promise<R> {
  const answer = await chrome.runtime.sendMessage<Envelope, Answer<R> | undefined>({ to, name, argument });
  if (answer && 'value' in answer) return answer.value;
  throw new Error(answer?.error ?? `Nobody answered “${name}”.`);
}

function listen(to: string, handlers: object): void {
  chrome.runtime.onMessage.addListener((message: unknown, sender, respond: (answer: Answer<unknown>) => void) => {
    if (sender.id !== chrome.runtime.id || !isEnvelope(message, to)) return false;
    const handler = (handlers as Messages)[message.name];
    if (!handler) return false;
    // In a promise from the first step, so that a handler that throws answers, too.
    Promise.resolve(message.argument as never)
      .then(handler)
      .then(
        (value) => respond({ value }),
        (error: unknown) => respond({ error: String(error) }),
      );
    // Keeps the channel open until the answer is there; an async listener would close it.
    return true;
  });
}
