import { expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';

import type { Chat, Chats } from '../../../../bridge/chat/chats.ts';
import { shape } from '../../../../bridge/dialects/openai/chat-completions/shape.ts';
import { respond } from '../../../../bridge/dialects/openai/respond.ts';
import { HangUp } from '../../../../bridge/hang-up.ts';
import type { EventStream, Exchange } from '../../../../bridge/http/route.ts';
import { createTimers } from '../../../../bridge/timers.ts';
import { sourceOf } from '../../flow-rig.ts';

const words = Array.from({ length: 20 }, (): ChatEvent => ({ type: 'text', text: 'word' }));
const finish: ChatEvent = { type: 'finish', finishReason: 'stop', model: null, usage: null };

const chatOf = (): Chat => ({
  id: crypto.randomUUID(),
  read: () => sourceOf(...words, finish),
  whole: () => expect.fail('It is a stream.'),
  stop() {},
  isReplay: false,
  wentOut: () => true,
});

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
  const exchange: Partial<Exchange> = {
    ...{ headers: {}, scope: 'x', revoked: null, hangUp: new HangUp(), setHeaders() {} },
    startEvents(onDrain = () => {}) {
      drain = onDrain;
      return stream;
    },
  };
  const chats: Partial<Chats> = { begin: async () => chatOf() };
  const request = { messages: [] };
  const question = { requests: [request, request], model: null, priority: null, fidelity: '' };
  const answered = respond(exchange as Exchange, {
    question: { ...question, isStream: true, wantsUsage: false },
    shape,
    means: { chats: chats as Chats, deadlineMs: 60_000, startTimer: createTimers() },
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
