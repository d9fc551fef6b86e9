import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AnswerPart } from '#shared/chat.ts';

import { createBatch } from '../../../extension/lanes/batch.ts';
import { answerPart } from '../../shared/arbitraries.ts';

const text = (text: string): AnswerPart => ({ type: 'text', text });
const reasoning = (text: string): AnswerPart => ({ type: 'reasoning', text });
const call = (id: string): AnswerPart => ({ type: 'tool_call', id, name: 'n', arguments: '{}' });

function collected() {
  const sent: AnswerPart[][] = [];
  return { sent, batch: createBatch((parts) => sent.push(parts)) };
}

/** The same content, however it was cut: what follows the same kind is one piece, tool calls stand alone. */
const joined = (parts: readonly AnswerPart[]) =>
  parts.reduce<AnswerPart[]>((all, part) => {
    const last = all.at(-1);
    const isMore = last?.type === part.type && last.type !== 'tool_call' && part.type !== 'tool_call';
    return isMore ? [...all.slice(0, -1), { ...last, text: last.text + part.text }] : [...all, part];
  }, []);

describe('a batch', () => {
  it('sends what came in one turn together, by itself, in the next', async () => {
    const { sent, batch } = collected();
    batch.add(text('a'));
    batch.add(text('b'));
    expect(sent).toEqual([]);
    await expect.poll(() => sent).toEqual([[text('ab')]]);
    batch.add(text('c'));
    await expect.poll(() => sent).toEqual([[text('ab')], [text('c')]]);
  });

  it('joins neighbours of the same kind only, and never tool calls', () => {
    const { sent, batch } = collected();
    for (const part of [
      text('a'),
      reasoning('b'),
      reasoning('c'),
      text('d'),
      call('1'),
      call('2'),
      text('e'),
      text('f'),
    ])
      batch.add(part);
    batch.flush();
    expect(sent).toEqual([[text('a'), reasoning('bc'), text('d'), call('1'), call('2'), text('ef')]]);
  });

  it('loses, doubles and reorders nothing, wherever it is flushed', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(answerPart, fc.constant('flush' as const))), (steps) => {
        const { sent, batch } = collected();
        for (const step of steps) {
          if (step === 'flush') batch.flush();
          else batch.add(step);
        }
        batch.flush();
        const added = steps.filter((step) => step !== 'flush');
        expect(joined(sent.flat())).toEqual(joined(added));
        expect(sent.every((parts) => parts.length > 0)).toBe(true);
      }),
    );
  });

  it('sends nothing where nothing came', () => {
    const { sent, batch } = collected();
    batch.flush();
    batch.add(text('a'));
    batch.flush();
    batch.flush();
    expect(sent).toEqual([[text('a')]]);
  });

  it('gives back what is left as it closes, and sends none of that', () => {
    const { sent, batch } = collected();
    batch.add(text('a'));
    batch.flush();
    batch.add(text('b'));
    expect(batch.close()).toEqual([text('b')]);
    // As Firefox does where the message to oneself was on its way already.
    batch.flush();
    expect(sent).toEqual([[text('a')]]);
    expect(batch.close()).toEqual([]);
  });

  it('leaves the parts that it was given as they are', () => {
    const { batch } = collected();
    const first = text('a');
    batch.add(first);
    batch.add(text('b'));
    expect(first).toEqual(text('a'));
  });
});

it('cuts a text that is larger than a frame may be, and hands the pieces on at once', () => {
  const sent: AnswerPart[][] = [];
  const batch = createBatch((parts) => sent.push(parts));
  const text = '🦊'.repeat(1_250_000);
  batch.add({ type: 'text', text });
  batch.flush();
  expect(sent.map((parts) => parts.length)).toEqual([1, 1, 1]);
  expect(sent.flat().map((part) => (part.type === 'text' ? part.text : ''))).toEqual([
    text.slice(0, 1_000_000),
    text.slice(1_000_000, 2_000_000),
    text.slice(2_000_000),
  ]);
});
