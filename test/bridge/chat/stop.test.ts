import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';

import { createStopFilter, cutAtStop, endAtStop } from '../../../bridge/chat/stop.ts';
import { readAll, sourceOf } from '../flow-rig.ts';
import { wholeAnswer } from './whole-answer.ts';

/** What comes out of `pieces`, one after the other. */
function filter(pieces: string[], stops: string[]): { text: string; isOver: boolean } {
  const it = createStopFilter(stops);
  let text = '';
  for (const piece of pieces) {
    const added = it.add(piece);
    text += added.text;
    if (added.isOver) return { text, isOver: true };
  }
  return { text: text + it.rest(), isOver: false };
}

/** The same, letter by letter: a text is over with the letter that completes a stop. */
function cut(text: string, stops: string[]): { text: string; isOver: boolean } {
  for (let end = 1; end <= text.length; end += 1) {
    const lengths = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map(({ length }) => length);
    if (lengths.length > 0) return { text: text.slice(0, end - Math.max(...lengths)), isOver: true };
  }
  return { text, isOver: false };
}

// Few letters, so that stops begin, break off and overlap all the time.
const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength });

it('ends a text at its first stop, however the text was cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(letters(0, 4)), fc.array(letters(1, 4), { maxLength: 4 }), (pieces, stops) => {
      expect(filter(pieces, stops)).toEqual(cut(pieces.join(''), stops));
    }),
  );
});

it('holds back only what may still become a stop', () => {
  const it = createStopFilter(['STOP', 'END']);
  expect(it.add('one S').text).toBe('one ');
  expect(it.add('T').text).toBe('');
  expect(it.add('x E').text).toBe('STx ');
  expect(it.rest()).toBe('E');
});

it('passes everything on at once where there is no stop', () => {
  expect(createStopFilter([]).add('any text')).toEqual({ text: 'any text', isOver: false });
});

describe('an answer with stops', () => {
  const finish = { type: 'finish', finishReason: 'length', model: 'm', usage: null } as const;
  const said = (text: string): ChatEvent => ({ type: 'text', text });

  const run = (events: ChatEvent[], stops: string[]) => readAll(endAtStop(sourceOf(...events), stops));

  it('ends there, whatever still comes of its call', async () => {
    const events = await run([said('one ST'), said('OP two'), said('STOP'), finish], ['STOP']);
    expect(events).toEqual([said('one '), { type: 'finish', finishReason: 'stop', model: null, usage: null }]);
  });

  it('ends as it does where none comes, with what was held back', async () => {
    expect(await run([said('one ST'), finish], ['STOP'])).toEqual([said('one '), said('ST'), finish]);
  });

  it('says what was held back before it calls a tool, and not before it goes on thinking', async () => {
    const call = { type: 'tool_call', id: 'a', name: 'f', arguments: '{}' } as const;
    const thought = { type: 'reasoning', text: 'hm' } as const;
    const events = await run([said('S'), thought, said('T'), call, finish], ['STOP']);
    expect(events).toEqual([thought, said('ST'), call, finish]);
  });

  it('fails where the call fails by itself', async () => {
    const failing = sourceOf(said('one'));
    const events = readAll(endAtStop(failing, ['STOP']));
    failing.fail(new Error('Broken.'));
    await expect(events).rejects.toThrow('Broken.');
  });
});

describe('a whole answer with stops', () => {
  const answer = (text: string, change = {}) =>
    wholeAnswer(text, {
      reasoning: 'END',
      finishReason: 'length',
      model: 'm',
      usage: { inputTokens: 1, outputTokens: 2 },
      ...change,
    });

  it('ends at the first of them, and costs what it cost', () => {
    expect(cutAtStop(answer('one END two STOP'), ['STOP', 'END'])).toEqual(answer('one ', { finishReason: 'stop' }));
    expect(cutAtStop(answer('one EN'), ['END'])).toEqual(answer('one EN'));
    expect(cutAtStop(answer('one'), [])).toEqual(answer('one'));
  });

  it('keeps the calls of its tools', () => {
    const called = { toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }], finishReason: 'tool_calls' };
    expect(cutAtStop(answer('one END', called), ['END'])).toEqual(answer('one ', called));
  });
});
