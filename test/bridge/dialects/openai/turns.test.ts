import { expect, it, onTestFinished, vi } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';

import type { Chat, Chats } from '../../../../bridge/chat/chats.ts';
import { shape } from '../../../../bridge/dialects/openai/chat-completions/shape.ts';
import { createShape } from '../../../../bridge/dialects/openai/completions/shape.ts';
import { respond, type Shape } from '../../../../bridge/dialects/openai/respond.ts';
import type { Source } from '../../../../bridge/flow.ts';
import { HangUp } from '../../../../bridge/hang-up.ts';
import type { EventStream, Exchange } from '../../../../bridge/http/route.ts';
import { createTimers } from '../../../../bridge/timers.ts';
import { sourceOf } from '../../flow-rig.ts';

const words = Array.from({ length: 20 }, (): ChatEvent => ({ type: 'text', text: 'word' }));
const finish: ChatEvent = { type: 'finish', finishReason: 'stop', model: null, usage: null };

const chatOf = (source: Source<ChatEvent>): Chat => ({
  id: crypto.randomUUID(),
  read: () => source,
  whole: () => expect.fail('It is a stream.'),
  stop() {},
  isReplay: false,
  wentOut: () => true,
});

/** The answer to one body, with a choice for each source. `onDrain` gets what goes on where the caller has room again. */
function answer(
  stream: EventStream,
  how: { shape: Shape; sources: Source<ChatEvent>[]; onDrain?: (drain: () => void) => void },
) {
  const { shape, sources, onDrain } = how;
  const exchange: Partial<Exchange> = {
    ...{ headers: {}, scope: 'x', revoked: null, hangUp: new HangUp(), setHeaders() {} },
    startEvents(drain = () => {}) {
      onDrain?.(drain);
      return stream;
    },
  };
  const left = sources.map(chatOf);
  const chats: Partial<Chats> = { begin: async () => left.shift() as Chat };
  const requests = sources.map(() => ({ messages: [] }));
  return respond(exchange as Exchange, {
    question: { requests, model: null, priority: null, fidelity: '', isStream: true, wantsUsage: false },
    shape,
    means: { chats: chats as Chats, deadlineMs: 60_000, startTimer: createTimers() },
  });
}

it('choices of one stream take turns where the caller takes a few events at a time', async () => {
  const sent: number[] = [];
  let room = 0;
  let drain: () => void = () => {};
  const stream: EventStream = {
    send(value) {
      const { choices } = value as { choices: { index: number }[] };
      sent.push(choices[0]?.index ?? -1);
      room -= 1;
    },
    sendRaw() {},
    isFull: () => room <= 0,
    end() {},
  };
  const answered = answer(stream, {
    shape,
    sources: [sourceOf(...words, finish), sourceOf(...words, finish)],
    onDrain: (it) => (drain = it),
  });
  await expect.poll(() => sent.length).toBeGreaterThan(0);
  for (let round = 0; round < 6; round += 1) {
    room = 4;
    drain();
  }
  const [first, second] = [0, 1].map((index) => sent.filter((it) => it === index).length) as [number, number];
  expect(Math.abs(first - second)).toBeLessThanOrEqual(4);
  room = Infinity;
  drain();
  await answered;
  expect([0, 1].map((index) => sent.filter((it) => it === index).length)).toEqual([22, 22]);
});

it('keeps a caller alive that is told nothing of a model’s thoughts', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const sent: unknown[] = [];
  const stream: EventStream = {
    send: (value) => sent.push((value as { choices: { text: string }[] }).choices[0]?.text),
    sendRaw: (lines) => sent.push(lines),
    isFull: () => false,
    end() {},
  };
  const source = sourceOf<ChatEvent>();
  const answered = answer(stream, { shape: createShape([]), sources: [source] });
  for (let second = 0; second < 25; second += 1) {
    source.push({ type: 'reasoning', text: 'Hm.' });
    await vi.advanceTimersByTimeAsync(1000);
  }
  source.push({ type: 'text', text: 'word' });
  await vi.advanceTimersByTimeAsync(10_000);
  source.push(finish);
  await answered;
  expect(sent).toEqual([': keep-alive', ': keep-alive', 'word', '', 'data: [DONE]']);
});
