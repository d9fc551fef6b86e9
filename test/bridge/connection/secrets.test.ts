import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSecrets } from '../../../bridge/connection/secrets.ts';

describe('a secret', () => {
  it('is held by the instance that it was issued to', () => {
    const secrets = createSecrets();
    const [a, b] = [secrets.issue('a'), secrets.issue('b')];
    expect([secrets.holder(a), secrets.holder(b)]).toEqual(['a', 'b']);
  });

  it('is 256 bits that fit in a header, and never the same', () => {
    const secrets = createSecrets();
    const all = Array.from({ length: 100 }, () => secrets.issue('a'));
    expect(new Set(all).size).toBe(100);
    for (const secret of all) expect(secret).toMatch(/^[\w-]{43}$/);
  });

  it('is void once the instance has a newer one', () => {
    const secrets = createSecrets();
    const old = secrets.issue('a');
    const current = secrets.issue('a');
    expect([secrets.holder(old), secrets.holder(current)]).toEqual([undefined, 'a']);
  });

  it('is void once its instance is not wanted any more', () => {
    const secrets = createSecrets();
    const [mine, theirs] = [secrets.issue('mine'), secrets.issue('theirs')];
    secrets.revoke('mine');
    expect([secrets.holder(mine), secrets.holder(theirs)]).toEqual([undefined, 'theirs']);
  });

  it('that was guessed is nobody’s, whatever its length', () => {
    const secrets = createSecrets();
    const secret = secrets.issue('a');
    const guesses = [
      '',
      'a',
      secret.slice(0, -1),
      `${secret}x`,
      secret.toUpperCase(),
      secret.toLowerCase(),
      ` ${secret}`,
    ];
    for (const guess of guesses.filter((guess) => guess !== secret)) expect(secrets.holder(guess)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (guess) => {
        expect(secrets.holder(guess)).toBeUndefined();
      }),
    );
  });

  it('of an instance long gone is forgotten, the most recent 32 are kept', () => {
    const secrets = createSecrets();
    const all = Array.from({ length: 40 }, (_, at) => secrets.issue(String(at)));
    const holders = all.map((secret) => secrets.holder(secret));
    expect(holders.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => undefined));
    expect(holders.slice(8)).toEqual(Array.from({ length: 32 }, (_, at) => String(at + 8)));
  });

  it('of an instance that keeps coming back outlives those that do not', () => {
    const secrets = createSecrets();
    secrets.issue('faithful');
    for (let at = 0; at < 31; at += 1) secrets.issue(String(at));
    const current = secrets.issue('faithful');
    for (let at = 100; at < 131; at += 1) secrets.issue(String(at));
    expect(secrets.holder(current)).toBe('faithful');
  });
});
