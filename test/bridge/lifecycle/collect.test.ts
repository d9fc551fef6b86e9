import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { collect } from '../../../bridge/lifecycle/collect.ts';
import { answerEnd, answerPart } from '../../shared/arbitraries.ts';

const stream = (...events: ChatEvent[]): ReadableStream<ChatEvent> =>
  new ReadableStream({
    start(controller) {
      for (const event of events) controller.enqueue(event);
      controller.close();
    },
  });
const still = () => 0;

describe('a collected answer', () => {
  it('has all the text in order, and the end as it came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answerPart), answerEnd, async (parts, end) => {
        const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
        const collected = await collect(stream(...parts, { type: 'finish', ...end }), still);
        expect(collected).toStrictEqual({ text, ...end, durationMs: 0 });
      }),
    );
  });

  it('says in whole milliseconds how long it took', async () => {
    const times = [1000.25, 1234.75];
    const end = { type: 'finish', finishReason: 'stop', model: null, usage: null } as const;
    const { durationMs } = await collect(stream(end), () => times.shift() ?? Number.NaN);
    expect(durationMs).toBe(235);
  });

  it('fails with what the stream failed with', async () => {
    const error = new BridgeError('extension_failed', 'The lane broke.');
    const broken = new ReadableStream<ChatEvent>({ start: (controller) => controller.error(error) });
    await expect(collect(broken, still)).rejects.toBe(error);
  });

  it('without an end is an error of our own', async () => {
    await expect(collect(stream({ type: 'text', text: 'half' }), still)).rejects.toMatchObject({
      code: 'internal_error',
    });
  });
});
