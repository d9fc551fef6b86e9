import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { assemble, collect, replay } from '../../../bridge/chat/collect.ts';
import { answerEnd, answerPart } from '../../shared/arbitraries.ts';
import { readAll, sourceOf } from '../flow-rig.ts';

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
      { type: 'tool_call', id: 'b', name: 'f', arguments: '{"x":1}', thoughtSignature: 'sealed' },
      finish,
    ];
    expect(await collect(sourceOf<ChatEvent>(...events))).toEqual({
      text: 'Hello',
      reasoning: 'Let me think.',
      refusal: null,
      toolCalls: [
        { id: 'a', name: 'f', arguments: '{}' },
        { id: 'b', name: 'f', arguments: '{"x":1}', thoughtSignature: 'sealed' },
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
        expect(await collect(sourceOf<ChatEvent>(...parts, { type: 'finish', ...end }))).toMatchObject({
          text,
          ...end,
        });
      }),
    );
  });

  it('tells an empty refusal from none', async () => {
    expect(
      await collect(sourceOf<ChatEvent>({ type: 'refusal', text: 'No' }, { type: 'refusal', text: '.' }, finish)),
    ).toMatchObject({
      text: '',
      refusal: 'No.',
    });
  });

  it('fails with what broke the answer off, however much of it had come', async () => {
    const broken = sourceOf<ChatEvent>({ type: 'text', text: 'Hel' });
    const whole = collect(broken);
    broken.fail(new BridgeError('upstream_failed', 'It broke.'));
    await expect(whole).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('takes an answer without an end for no answer', () => {
    expect(() => assemble([{ type: 'text', text: 'Hel' }])).toThrow(
      expect.objectContaining({ code: 'internal_error' }),
    );
  });

  it('can be told again as the same answer', async () => {
    const answer = await collect(
      sourceOf<ChatEvent>(
        { type: 'reasoning', text: 'r' },
        { type: 'text', text: 't' },
        { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' },
        finish,
      ),
    );
    expect(await collect(replay(async () => answer))).toEqual(answer);
  });

  it('is asked for once, when somebody reads', async () => {
    let asks = 0;
    const source = replay(async () => {
      asks += 1;
      return Promise.reject(new BridgeError('result_not_stored', 'It is gone.'));
    });
    expect(asks).toBe(0);
    const whole = readAll(source);
    source.resume();
    await expect(whole).rejects.toMatchObject({ code: 'result_not_stored' });
    expect(asks).toBe(1);
  });

  it('fails where its sink does', async () => {
    const failed = Promise.withResolvers<unknown>();
    const source = replay(async () => assemble([finish]));
    source.pipe({
      write() {
        throw new Error('Nobody can take that.');
      },
      fail: failed.resolve,
    });
    source.resume();
    expect(await failed.promise).toEqual(new Error('Nobody can take that.'));
  });
});
