import { beforeEach, describe, expect, it } from 'vitest';

import { createSignIns, type SignIns } from '../../../bridge/auth/sign-ins.ts';

const minutes = 60_000;
let clock = 0;
let signIns: SignIns<string>;
beforeEach(() => {
  clock = 1000;
  signIns = createSignIns({ now: () => clock });
});

describe('a sign-in', () => {
  it('is that of the extension that began it, once', () => {
    signIns.begin('a', 'state a');
    signIns.begin('b', 'state b');
    expect([signIns.take('state b'), signIns.take('state a')]).toEqual(['b', 'a']);
    expect([signIns.take('state b'), signIns.take('state a')]).toEqual([undefined, undefined]);
  });

  it('can come back for five minutes', () => {
    signIns.begin('a', 'early');
    clock += 5 * minutes - 1;
    expect(signIns.take('early')).toBe('a');
    signIns.begin('a', 'late');
    clock += 5 * minutes;
    expect(signIns.take('late')).toBeUndefined();
    clock -= 1;
    expect(signIns.take('late')).toBeUndefined();
  });

  it('takes the place of an older one of the same extension', () => {
    signIns.begin('a', 'older');
    signIns.begin('a', 'newer');
    expect([signIns.take('older'), signIns.take('newer')]).toEqual([undefined, 'a']);
  });

  it('goes with its extension, and with no other', () => {
    signIns.begin('a', 'state a');
    signIns.begin('b', 'state b');
    signIns.forget('a');
    signIns.forget('nobody');
    expect([signIns.take('state a'), signIns.take('state b')]).toEqual([undefined, 'b']);
  });

  it.each(['', 'state', 'state a ', 'STATE A', 'state a\0'])('is not found by %j', (guess) => {
    signIns.begin('a', 'state a');
    expect(signIns.take(guess)).toBeUndefined();
    expect(signIns.take('state a')).toBe('a');
  });
});
