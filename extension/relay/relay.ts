import { partChars, type ChatRequest } from '#shared/chat.ts';
import type { Failure } from '#shared/errors.ts';
import { maxAnswerChars, type Frame, type FrameToExtension, type PuterState } from '#shared/protocol.ts';

import type { LanePool, RunningCall } from '../lanes/pool.ts';
import type { BridgeState } from '../state.ts';
import { deliver } from './deliver.ts';
import { startLink, type LinkOptions } from './link.ts';
import { createOutbox } from './outbox.ts';

/** Carries requests from the bridge to the lanes and their answers back, whatever the socket does meanwhile. */
export interface Relay {
  /** Tells the bridge what changed about the account or the lanes. */
  tellStatus(): void;
  running(): number;
  /** Ends the connection, and the calls with it. */
  close(): void;
}

export function startRelay(options: {
  port: number;
  /** The fields of `hello` that do not change while this relay lives. */
  identity: { instance: string; profile: string; version: string; browser: string };
  /** How many calls may run at once. */
  lanes: () => number;
  /** For requests that name no model; empty leaves the choice to Puter. */
  defaultModel: () => string;
  pool: LanePool;
  puterState: () => PuterState;
  onBridgeState: (state: BridgeState) => void;
  /** The number of running calls changed. */
  onRunning: () => void;
  /** Asked when a call starts; told how it ended, null for an answer. */
  followCall: () => (failure: Failure | null) => void;
}): Relay {
  const { port, identity, lanes, defaultModel, pool, puterState, onBridgeState, onRunning, followCall } = options;
  const outbox = createOutbox();
  const calls = new Map<string, RunningCall>();
  let secret: string | undefined;

  const status = () => ({ puter: puterState(), lanes: lanes() });

  const link = startLink({ port, hello, onWelcome, onFrame, onState: onBridgeState });

  function hello(): ReturnType<LinkOptions['hello']> {
    return { type: 'hello', ...identity, ...status(), requests: outbox.held() };
  }

  function onWelcome(welcome: Frame<FrameToExtension, 'welcome'>): void {
    secret = welcome.secret;
    const wanted = new Map(welcome.resume.map(({ requestId, nextSeq }) => [requestId, nextSeq]));
    for (const requestId of outbox.held()) {
      const nextSeq = wanted.get(requestId);
      if (nextSeq === undefined) drop(requestId);
      else for (const frame of outbox.since(requestId, nextSeq)) link.send(frame);
    }
    // Between the hello and now, the account may have changed.
    link.send({ type: 'status', ...status() });
  }

  function onFrame(frame: Exclude<FrameToExtension, { type: 'welcome' | 'ping' }>): void {
    switch (frame.type) {
      case 'request':
        return run(frame);
      case 'cancel':
        // The lane is free the moment its worker is gone; saying so gives the bridge its slot back.
        if (calls.has(frame.requestId)) {
          stopCall(frame.requestId);
          fail(frame.requestId, { code: 'cancelled', message: 'The call was cancelled.' });
        }
        return;
      case 'ack':
        return outbox.forget(frame.requestId);
    }
  }

  function run({ requestId, chat }: Frame<FrameToExtension, 'request'>): void {
    if (outbox.has(requestId)) return;
    outbox.open(requestId);
    if (puterState().session !== 'signed_in') {
      const message = 'The extension is not signed in to Puter. Click its icon in the browser and sign in.';
      return fail(requestId, { code: 'puter_not_signed_in', message });
    }
    send(requestId, { type: 'started' });
    const tellOutcome = followCall();
    let chars = 0;
    const call = pool.run(withDefault(chat), {
      onParts(parts) {
        for (const part of parts) chars += partChars(part);
        if (chars <= maxAnswerChars) return send(requestId, { type: 'chunk', parts });
        stopCall(requestId);
        fail(requestId, {
          code: 'answer_too_large',
          message: `The answer is longer than ${maxAnswerChars} characters.`,
        });
      },
      onEnd(end) {
        calls.delete(requestId);
        send(requestId, { type: 'end', ...end });
        onRunning();
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
    onRunning();
  }

  const withDefault = (chat: ChatRequest): ChatRequest =>
    chat.model === undefined && defaultModel() !== '' ? { ...chat, model: defaultModel() } : chat;

  function send(requestId: string, frame: Parameters<typeof outbox.add>[1]): void {
    const numbered = outbox.add(requestId, frame);
    if (numbered) link.send(numbered);
  }

  function fail(requestId: string, error: Failure): void {
    send(requestId, { type: 'error', error });
    onRunning();
    handInByPost();
  }

  /** While the socket is down, finished answers try the other way; what fails here waits for the socket. */
  function handInByPost(): void {
    if (secret === undefined || link.isOpen()) return;
    for (const { requestId, delivery } of outbox.finished()) {
      void deliver({ port, secret, requestId, delivery }).then((isSettled) => {
        if (isSettled) outbox.forget(requestId);
      });
    }
  }

  function stopCall(requestId: string): void {
    calls.get(requestId)?.cancel();
    calls.delete(requestId);
  }

  function drop(requestId: string): void {
    stopCall(requestId);
    outbox.forget(requestId);
    onRunning();
  }

  return {
    tellStatus: () => link.send({ type: 'status', ...status() }),
    running: () => calls.size,
    close() {
      for (const requestId of outbox.held()) drop(requestId);
      link.close();
    },
  };
}
