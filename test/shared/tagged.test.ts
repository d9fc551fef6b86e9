import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { tagged } from '#shared/tagged.ts';

const schema = tagged(
  'kind',
  [
    v.object({ kind: v.literal('circle'), radius: v.number('must be a number') }),
    v.object({ kind: v.picklist(['square', 'cube']), side: v.number() }),
  ],
  'must be a circle, a square or a cube',
);
const problemOf = (input: unknown) => {
  const [issue] = v.safeParse(schema, input).issues ?? [];
  return issue && { path: v.getDotPath(issue), message: issue.message };
};

describe('one of several objects', () => {
  it('is the one that its tag names, and nothing more than that', () => {
    expect(v.parse(schema, { kind: 'circle', radius: 1, side: 2 })).toEqual({ kind: 'circle', radius: 1 });
    expect(v.parse(schema, { kind: 'cube', side: 2 })).toEqual({ kind: 'cube', side: 2 });
  });

  it('is told what is wrong with it by the one that its tag names', () => {
    expect(problemOf({ kind: 'circle', radius: 'long' })).toEqual({ path: 'radius', message: 'must be a number' });
  });

  it.each([{ kind: 'constructor' }, { kind: 1 }, {}, [], null, undefined, 'circle'])(
    'is none without a tag that is known: %j',
    (input) => expect(problemOf(input)?.message).toBe('must be a circle, a square or a cube'),
  );
});
