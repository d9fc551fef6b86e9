import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readRedirect, signInUrl } from '../../../extension/puter/sign-in.ts';

const gui = 'https://puter.com';
const redirect = 'https://iklcdnhalpoojggnomchbmcmhieopleh.chromiumapp.org/';

/** What Puter's page does once the person allows it: it appends the token and keeps what is there. */
function approve(address: string, token: string): string {
  const asked = new URL(new URL(address).searchParams.get('redirectURL') ?? '');
  asked.searchParams.set('token', token);
  return asked.href;
}

describe('the sign-in page', () => {
  it('is Puter’s own, told where to come back to', () => {
    const url = new URL(signInUrl(gui, redirect, 'secret state'));
    expect(`${url.origin}${url.pathname}`).toBe('https://puter.com/');
    expect(url.searchParams.get('action')).toBe('authme');
    expect(url.searchParams.get('redirectURL')).toBe(`${redirect}?state=secret+state`);
  });

  it('keeps what the address to come back to already has', () => {
    const url = new URL(signInUrl(gui, `${redirect}?a=1&b=x%26y`, 's'));
    const back = new URL(url.searchParams.get('redirectURL') ?? '');
    expect([...back.searchParams]).toEqual([
      ['a', '1'],
      ['b', 'x&y'],
      ['state', 's'],
    ]);
  });
});

describe('the answer', () => {
  it('gives the token that Puter made, for any token and any state', () => {
    const wellFormed = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(wellFormed, wellFormed, (token, state) => {
        expect(readRedirect(approve(signInUrl(gui, redirect, state), token), state)).toEqual({ token });
      }),
    );
  });

  it.each([
    ['none', undefined],
    ['nothing', ''],
    ['no address', 'not an address'],
    ['no state', `${redirect}?token=t`],
    ['an empty state', `${redirect}?token=t&state=`],
    ['another state', `${redirect}?token=t&state=other`],
    ['the state in another place', `${redirect}?token=t#state=mine`],
    ['the state second', `${redirect}?token=t&state=other&state=mine`],
  ])('is refused where there is %s', (_, address) => {
    expect(readRedirect(address, 'mine')).toEqual({ problem: 'sign_in_wrong_state' });
  });

  it.each([`${redirect}?state=mine`, `${redirect}?state=mine&token=`])(
    'without a token is one that the person did not allow: %s',
    (address) => {
      expect(readRedirect(address, 'mine')).toEqual({ problem: 'sign_in_cancelled' });
    },
  );
});
