import { expect, it } from 'vitest';

import type { Failure } from '#shared/errors.ts';

import { withSuggestions } from '../../../bridge/catalogue/with-suggestions.ts';

const knowing = (...names: string[]) => ({ nearest: () => names });
const failure: Failure = { code: 'model_not_found', message: 'There is none.', param: 'model' };

it('asks whether one of the nearest names was meant', () => {
  expect(withSuggestions(failure, knowing('a', 'b', 'c'), 'x')).toEqual({
    ...failure,
    message: 'There is none. Did you mean a, b, c?',
    suggestions: ['a', 'b', 'c'],
  });
});

it('asks nothing where no name is near', () => {
  expect(withSuggestions(failure, knowing(), 'x')).toEqual({ ...failure, suggestions: [] });
});

it('leaves other failures alone, and those of calls that named no model', () => {
  const other: Failure = { code: 'upstream_failed', message: 'It broke.' };
  expect(withSuggestions(other, knowing('a'), 'x')).toBe(other);
  expect(withSuggestions(failure, knowing('a'), undefined)).toBe(failure);
});
