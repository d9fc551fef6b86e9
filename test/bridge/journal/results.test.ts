import { expect, it, onTestFinished } from 'vitest';

import { createChats } from '../../../bridge/chat/chats.ts';
import { replay } from '../../../bridge/chat/collect.ts';
import { createResults } from '../../../bridge/journal/results.ts';
import { createTemporaryFolder } from '../../temporary-folder.ts';
import { estimateUsage } from '../chat/no-results.ts';
import { asLeft } from './as-left.ts';
import { openSoundJournal } from './sound-journal.ts';

const answer = {
  ...{ text: 'paid', reasoning: '', refusal: null, toolCalls: [], model: null, usage: null, durationMs: 1 },
  finishReason: 'stop' as const,
};
const request = { messages: [] };
const scope = 'me';

/** Results, and what of them a second program finds on disk. */
async function start() {
  const { dir: folder, remove } = await createTemporaryFolder('state');
  onTestFinished(() => remove());
  const journal = openSoundJournal(folder);
  onTestFinished(() => journal.close());
  const results = createResults({
    ...{ journal, keepsAnswers: true, keepsHistory: false, now: Date.now },
    isRunning: () => false,
    onRecorded() {},
  });
  const statusOnDisk = (id: string) => asLeft(folder, (journal) => journal.find(id)?.status);
  return { results, statusOnDisk };
}

it('tells an answer once it is on disk, also to whoever asks in the turn in which it came', async () => {
  const { results, statusOnDisk } = await start();
  results.begin({ id: 'a', scope, key: null, fingerprint: null, request });
  results.succeed('a', answer);
  expect(await results.read('a', scope)).toMatchObject({ answer: { text: 'paid' } });
  expect(statusOnDisk('a')).toBe('success');
});

it('keeps an answer whole, down to the signature of a call', async () => {
  const { results } = await start();
  results.begin({ id: 'a', scope, key: null, fingerprint: null, request });
  const toolCalls = [{ id: 'b', name: 'f', arguments: '{}', thoughtSignature: 'sealed' }];
  const whole = { ...answer, toolCalls, usage: { inputTokens: 3, outputTokens: 1, cachedTokens: 2 } };
  results.succeed('a', whole);
  expect(await results.read('a', scope)).toEqual({ status: 'success', answer: whole });
});

it('tells a request as it was when it was asked for, since what came meanwhile may not be on disk yet', async () => {
  const { results } = await start();
  results.begin({ id: 'a', scope, key: null, fingerprint: null, request });
  const reading = results.read('a', scope);
  results.succeed('a', answer);
  expect(await reading).toMatchObject({ status: 'pending' });
});

it('N1 repeats an answer once it is on disk', async () => {
  const { results, statusOnDisk } = await start();
  const chats = createChats({
    ...{ results, newId: () => 'a', now: Date.now },
    calls: {
      prepare: async () => ({
        start: () => ({ events: replay(async () => answer), estimateUsage, stop() {} }),
      }),
      finish: async () => answer,
    },
  });
  const caller = { scope, key: 'k', name: null, priority: 'normal' as const, repetition: 0 };
  const ask = () => chats.begin(request, { hangUp: null, caller });
  await ask();
  while (results.get('a')?.status === 'pending') await Promise.resolve();
  const again = await ask();
  expect([again.isReplay, (await again.whole()).text]).toEqual([true, 'paid']);
  expect(statusOnDisk('a')).toBe('success');
});
