import { expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Calls } from '../../../bridge/chat/calls.ts';
import { createChats } from '../../../bridge/chat/chats.ts';
import { HangUp } from '../../../bridge/hang-up.ts';
import { sourceOf } from '../flow-rig.ts';
import { estimateUsage, noResults } from './no-results.ts';

const request: ChatRequest = { messages: [{ role: 'user', content: 'hi' }] };
const caller = { scope: 'x', name: null, priority: 'normal' as const, key: null };
const reason = (message: string) => new BridgeError('cancelled', message);

/** One chat that goes on until it is stopped, with the one who began it and one who joined. */
async function join() {
  const stops: BridgeError[] = [];
  const calls: Calls = {
    prepare: async () => ({
      start: () => ({ events: sourceOf(), estimateUsage, stop: (why) => void stops.push(why) }),
    }),
    finish: () => expect.fail('Nothing is recalled here.'),
  };
  const chats = createChats({ calls, results: noResults, newId: () => 'a', now: () => performance.now() });
  const hangUp = new HangUp();
  const first = await chats.begin(request, { hangUp, caller: { ...caller, repetition: 0 } });
  const second = await chats.begin(request, { hangUp: new HangUp(), caller: { ...caller, repetition: 1 } });
  expect(second.id).toBe(first.id);
  return { hangUp, first, second, stops };
}

it('a chat goes on for who joined it, until that one wants it no more', async () => {
  const { hangUp, second, stops } = await join();
  hangUp.tell(reason('It went.'));
  expect(stops).toEqual([]);
  for (let time = 0; time < 2; time += 1) second.stop(reason('Nobody is left.'));
  expect(stops).toEqual([reason('Nobody is left.')]);
});

it('a chat is stopped by who began it for all, and by who joined it for that one alone', async () => {
  const { first, second, stops } = await join();
  second.stop(reason('One is left.'));
  expect(stops).toEqual([]);
  first.stop(reason('Stopped.'));
  expect(stops).toEqual([reason('Stopped.')]);
});
