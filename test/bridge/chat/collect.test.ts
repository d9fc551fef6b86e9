import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { collect, tell } from '../../../bridge/chat/collect.ts';
import { answerEnd, answerPart } from '../../shared/arbitraries.ts';

const streamOf = (...events: ChatEvent[]): ReadableStream<ChatEvent> =>
  new ReadableStream({
    start(controller) {
      for (const event of events) controller.enqueue(event);
      controller.close();
    },
  });

const finish = {
  type: 'finish',
  finishReason: 'stop',
  model: 'echo',
  usage: { inputTokens: 3, outputTokens: 5 },
} as const;

describe('collecting an answer', () => {
  it('joins pieces of one kind in order, and keeps every call of a tool', async () => {
    const events: ChatEvent[] = [
      { type: 'reasoning', text: 'Let me ' },
      { type: 'text', text: 'Hel' },
      { type: 'reasoning', text: 'think.' },
      { type: 'text', text: 'lo' },
      { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' },
      { type: 'tool_call', id: 'b', name: 'f', arguments: '{"x":1}' },
      finish,
    ];
    expect(await collect(streamOf(...events))).toEqual({
      text: 'Hello',
      reasoning: 'Let me think.',
      refusal: null,
      toolCalls: [
        { id: 'a', name: 'f', arguments: '{}' },
        { id: 'b', name: 'f', arguments: '{"x":1}' },
      ],
      finishReason: 'stop',
      model: 'echo',
      usage: { inputTokens: 3, outputTokens: 5 },
    });
  });

  it('has all the text in order, and the end as it came, of any answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(answerPart), answerEnd, async (parts, end) => {
        const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
        expect(await collect(streamOf(...parts, { type: 'finish', ...end }))).toMatchObject({ text, ...end });
      }),
    );
  });

  it('tells an empty refusal from none', async () => {
    expect(
      await collect(streamOf({ type: 'refusal', text: 'No' }, { type: 'refusal', text: '.' }, finish)),
    ).toMatchObject({
      text: '',
      refusal: 'No.',
    });
  });

  it('fails with what broke the answer off, however much of it had come', async () => {
    const broken = new ReadableStream<ChatEvent>({
      start(controller) {
        controller.enqueue({ type: 'text', text: 'Hel' });
      },
      pull(controller) {
        controller.error(new BridgeError('upstream_failed', 'It broke.'));
      },
    });
    await expect(collect(broken)).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('takes an answer without an end for no answer', async () => {
    await expect(collect(streamOf({ type: 'text', text: 'Hel' }))).rejects.toMatchObject({ code: 'internal_error' });
  });

  it('can be told again as the same answer', async () => {
    const answer = await collect(
      streamOf(
        { type: 'reasoning', text: 'r' },
        { type: 'text', text: 't' },
        { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' },
        finish,
      ),
    );
    expect(await collect(streamOf(...tell(answer)))).toEqual(answer);
  });
});
