import fc from 'fast-check';
import { expect, it } from 'vitest';

import { createStopFilter } from '../../../../bridge/dialects/openai-chat/stop.ts';

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

/** The same of the whole text: everything before the first stop in it. */
function cut(text: string, stops: string[]): { text: string; isOver: boolean } {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  return found.length === 0 ? { text, isOver: false } : { text: text.slice(0, Math.min(...found)), isOver: true };
}

// Few letters, so that stops begin, break off and overlap all the time.
const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength });

it('ends a text at its first stop, however the text was cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(letters(0, 4)), fc.array(letters(1, 4), { maxLength: 4 }), (pieces, stops) => {
      const whole = cut(pieces.join(''), stops);
      const streamed = filter(pieces, stops);
      expect(streamed.isOver).toBe(whole.isOver);
      // A piece may hold two stops of which the later is complete first; the text before either never differs.
      expect(streamed.text).toBe(streamed.isOver ? whole.text : pieces.join(''));
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
