import { expect, inject, it } from 'vitest';

/** What came of all that takes minutes, and began with the run: see patience.ts. */
const outcomeOf = async (name: string): Promise<unknown> => (await fetch(`${inject('patience')}/${name}`)).json();

it('Firefox left alone for three minutes stays connected, and answers', async () => {
  expect(await outcomeOf('idle')).toEqual({ losses: 0, status: 200, result: 'You said: Still there?' });
});

it('an answer that takes two minutes comes whole through Firefox', async () => {
  const outcome = await outcomeOf('stream');
  expect(outcome).toMatchObject({ status: 200, words: 120 });
  expect(outcome).toHaveProperty(
    'ms',
    expect.toSatisfy((ms: number) => ms > 119_000),
  );
});

it('Firefox sleeps without a bridge, wakes to look for one and for whoever looks, and is back within 3 s then', async () => {
  expect(await outcomeOf('sleep')).toEqual({
    silenceMs: expect.toSatisfy((ms: number) => ms < 10_000) as number,
    backMs: expect.toSatisfy((ms: number) => ms < 3000) as number,
  });
});

it('Firefox waits for a person who takes a minute to sign in, with no bridge there', async () => {
  expect(await outcomeOf('slowSignIn')).toEqual({ account: expect.stringContaining('Signed in') as string });
});

it('Firefox keeps an answer for a bridge that was killed meanwhile and comes back a minute later', async () => {
  expect(await outcomeOf('heldAnswer')).toMatchObject({ ending: 'finished', answer: { status: 'success' } });
});
