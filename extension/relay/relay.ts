import { partChars, type AnswerPart, type ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';
import { findHindrance, takesRequests } from '#shared/hindrance.ts';
import type { AccountState } from '#shared/hops.ts';
import type { Model } from '#shared/models.ts';
import { maxAnswerChars, type Frame, type FrameToExtension } from '#shared/protocol.ts';

import type { LanePool, RunningCall } from '../lanes/pool.ts';
import type { Activity } from './activity.ts';
import { deliver } from './deliver.ts';
import type { LinkState } from './endings.ts';
import { startLink, type Link, type LinkOptions, type OwnFrame } from './link.ts';
import { createOutbox } from './outbox.ts';

/** Carries requests from the bridge to the lanes and their answers back, whatever the socket does meanwhile. */
export interface Relay {
  /** Tells the bridge what changed about the account or the lanes. */
  tellStatus(): void;
  /** Tells the bridge what Puter offers. */
  tellModels(): void;
  /** How many requests run, or have an answer that the bridge has not got. */
  held(): number;
  /** The person stops one call. */
  stop(requestId: string): void;
  /** Announces a sign-in that will come back to the bridge. False while there is none. */
  announceSignIn(state: string): boolean;
  /** Dials now instead of waiting for the next turn. */
  retry(): void;
  pair: Link['pair'];
  /** Ends the connection, and the calls with it. */
  close(): void;
}

export function startRelay(options: {
  /** The origin of the bridge. */
  address: string;
  /** The fields of `hello` that do not change while this relay lives. */
  identity: { instance: string; profile: string; version: string; browser: string };
  /** How this extension shows the bridge that it is paired with it. */
  introduction: Pick<LinkOptions, 'origin' | 'pairing' | 'onPaired' | 'isWatched'>;
  /** For requests that name no model; empty leaves the choice to Puter. */
  defaultModel: () => string;
  pool: LanePool;
  /** What the bridge is told of lanes and account. */
  status: () => { lanes: number; rate: number; paused: boolean; account: AccountState };
  activity: Activity;
  /** What Puter offers; null until that is known. */
  models: () => Model[] | null;
  onLink: (state: LinkState) => void;
  /** Fewer are held. */
  onForgotten: () => void;
  /** What only the bridge knows changed. */
  onBridgeStatus: (status: Pick<Frame<FrameToExtension, 'status'>, 'queued' | 'watched' | 'durability'>) => void;
  /** The state of a sign-in that will come back to the bridge, if one is under way. */
  pendingSignIn: () => string | null;
  /** A sign-in came back to the bridge. */
  onToken: (frame: Frame<FrameToExtension, 'token'>) => void;
  /** Asked when a call starts; told how it ended, null for an answer. */
  followCall: () => (failure: Failure | null) => void;
}): Relay {
  const {
    address,
    identity,
    introduction,
    defaultModel,
    pool,
    status,
    activity,
    models,
    onLink,
    onForgotten,
    onBridgeStatus,
    pendingSignIn,
    onToken,
    followCall,
  } = options;
  const outbox = createOutbox();
  const calls = new Map<string, RunningCall>();
  let secret: string | undefined;

  const link = startLink({ address, ...introduction, hello, onWelcome, onFrame, onState: onLink });

  function hello(): ReturnType<LinkOptions['hello']> {
    return { type: 'hello', ...identity, ...status(), requests: outbox.held() };
  }

  function onWelcome(welcome: Frame<FrameToExtension, 'welcome'>): void {
    secret = welcome.secret;
    const wanted = new Set(welcome.resume.map(({ requestId }) => requestId));
    for (const requestId of outbox.held()) if (!wanted.has(requestId)) drop(requestId);
    for (const resumption of welcome.resume) {
      outbox.resume(resumption);
      flush(resumption.requestId);
    }
    // Between the hello and now, the account may have changed.
    link.send({ type: 'status', ...status() });
    tellModels();
    const signIn = pendingSignIn();
    if (signIn !== null) link.send({ type: 'sign_in', state: signIn });
  }

  function tellModels(): void {
    const known = models();
    if (known) link.send({ type: 'models', models: known });
  }

  function onFrame(frame: OwnFrame): void {
    switch (frame.type) {
      case 'request':
        return run(frame);
      case 'cancel':
        // The lane is free the moment its worker is gone; saying so gives the bridge its slot back.
        stop(frame.requestId, 'The call was cancelled.');
        // So does the end of a call that had ended, and waited for room behind what nobody reads any more.
        outbox.skip(frame.requestId);
        return flush(frame.requestId);
      case 'room':
        outbox.addRoom(frame.requestId, frame.chars);
        return flush(frame.requestId);
      case 'ack':
        frame.requestIds.forEach(outbox.forget);
        return onForgotten();
      case 'status':
        return onBridgeStatus(frame);
      case 'token':
        return onToken(frame);
    }
  }

  function run({ requestId, chat, caller }: Frame<FrameToExtension, 'request'>): void {
    if (outbox.has(requestId)) return;
    outbox.open(requestId);
    // The bridge knows too, but what it was told may be a moment old.
    if (!takesRequests(status())) return fail(requestId, findHindrance([status()]));
    const tellOutcome = followCall();
    let chars = 0;
    function countOrFail(parts: AnswerPart[]): boolean {
      for (const part of parts) chars += partChars(part);
      if (chars <= maxAnswerChars) return true;
      stopCall(requestId);
      const message = `The answer is longer than ${maxAnswerChars} characters.`;
      fail(requestId, { code: 'answer_too_large', message });
      return false;
    }
    const asked = withDefault(chat);
    const call = pool.run(asked, {
      onParts(parts) {
        if (countOrFail(parts)) send(requestId, { type: 'chunk', parts });
      },
      onEnd(end, parts) {
        calls.delete(requestId);
        if (!countOrFail(parts)) return;
        send(requestId, { type: 'end', ...(parts.length > 0 && { parts }), ...end });
        activity.finish(requestId, end);
        tellOutcome(null);
        handInByPost();
      },
      onError(error) {
        calls.delete(requestId);
        fail(requestId, error);
        tellOutcome(error);
      },
    });
    calls.set(requestId, call);
    // The lane is at it already while it is told.
    send(requestId, { type: 'started' });
    activity.start({ requestId, model: asked.model ?? null, caller });
  }

  const withDefault = (chat: ChatRequest): ChatRequest =>
    chat.model === undefined && defaultModel() !== '' ? { ...chat, model: defaultModel() } : chat;

  function send(requestId: string, frame: Parameters<typeof outbox.add>[1]): void {
    outbox.add(requestId, frame);
    flush(requestId);
  }

  function flush(requestId: string): void {
    for (const frame of outbox.take(requestId)) link.send(frame);
  }

  function fail(requestId: string, error: Failure): void {
    send(requestId, { type: 'error', error });
    activity.finish(requestId, { failure: error });
    handInByPost();
  }

  /**
   * While the socket is down, finished answers try the other way; what fails here waits for the socket. So does all that
   * is for a bridge of a pairing: it is the socket that has it proved who listens.
   */
  function handInByPost(): void {
    if (secret === undefined || link.isOpen() || introduction.pairing()) return;
    for (const { requestId, delivery } of outbox.finished()) {
      void deliver({ address, secret, requestId, delivery }).then((isSettled) => {
        if (isSettled) forget(requestId);
      });
    }
  }

  function stopCall(requestId: string): void {
    calls.get(requestId)?.cancel();
    calls.delete(requestId);
  }

  function stop(requestId: string, message: string): void {
    if (!calls.has(requestId)) return;
    stopCall(requestId);
    outbox.skip(requestId);
    fail(requestId, { code: 'cancelled', message });
  }

  function forget(requestId: string): void {
    outbox.forget(requestId);
    onForgotten();
  }

  function drop(requestId: string): void {
    stopCall(requestId);
    forget(requestId);
    const message = 'Nobody waits for the answer any more: the bridge is another, or was started anew.';
    activity.finish(requestId, { failure: { code: 'cancelled', message } });
  }

  return {
    tellStatus: () => link.send({ type: 'status', ...status() }),
    tellModels,
    held: () => outbox.held().length,
    stop: (requestId) => stop(requestId, 'The call was stopped in the popup of the extension.'),
    announceSignIn(state) {
      link.send({ type: 'sign_in', state });
      return link.isOpen();
    },
    retry: link.retry,
    pair: link.pair,
    close() {
      // The bridge that is left learns it now, instead of waiting for an extension that will not come back.
      for (const requestId of calls.keys()) stop(requestId, 'The extension was given another bridge.');
      for (const requestId of outbox.held()) drop(requestId);
      link.close();
    },
  };
}
