import fc from 'fast-check';
import { expect, it } from 'vitest';

import { createStopFilter } from '../../../bridge/chat/stop.ts';

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
