import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, it } from 'vitest';

import type { ChatEvent, ChatRequest } from '#shared/chat.ts';

import type { Calls } from '../../../bridge/chat/calls.ts';
import { createChats } from '../../../bridge/chat/chats.ts';
import { Ending } from '../../../bridge/chat/ending.ts';
import { createTimers } from '../../../bridge/timers.ts';
import { HangUp } from '../../../bridge/hang-up.ts';
import { sourceOf } from '../flow-rig.ts';
import { estimateUsage, noResults } from './no-results.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const answer: ChatEvent[] = [
  { type: 'text', text: 'hello' },
  { type: 'finish', finishReason: 'stop', model: null, usage: null },
];

const calls: Calls = {
  prepare: () => Promise.resolve({ start: () => ({ events: sourceOf(...answer), estimateUsage, stop() {} }) }),
  finish: () => expect.fail('Nothing is recalled here.'),
};

const never = (): never => {
  throw new Error('Its time is not over.');
};

it('lets go of a chat that is over, however long the key may live that asked for it', async () => {
  const chats = createChats({
    calls,
    results: noResults,
    newId: () => crypto.randomUUID(),
    now: () => performance.now(),
  });
  const revoked = new AbortController();

  async function askOnce(): Promise<WeakRef<ChatRequest>> {
    const request: ChatRequest = { messages: [{ role: 'user', content: 'hi' }] };
    const chat = await chats.begin(request, {
      hangUp: new HangUp(),
      caller: { scope: 'x', name: null, priority: 'normal', key: null, repetition: 0 },
    });
    const ending = new Ending({
      startTimer: createTimers(),
      timeoutMs: 600_000,
      timedOut: never,
      revoked: revoked.signal,
    });
    ending.add(chat);
    expect((await chat.whole()).text).toBe('hello');
    ending.release();
    return new WeakRef(request);
  }

  const request = await askOnce();
  const isGone = () => {
    collect();
    return request.deref() === undefined;
  };
  await expect.poll(isGone).toBe(true);
  expect(revoked.signal.aborted).toBe(false);
});
