import { describe, expect, it } from 'vitest';

import { expired, refusal, startAccountRig, startTime } from './account-rig.ts';

/** What a call meets beside an answer: limits and verifications, and how they pass. */

async function startQuietly(isWatched = false) {
  const rig = await startAccountRig({ isWatched });
  await rig.quiet();
  return rig;
}

describe('the rate limit', () => {
  it('holds for ten seconds and goes by itself', async () => {
    const rig = await startQuietly();
    rig.account.learn(refusal('too_many_requests'));
    expect(rig.account.standing().hops.puter).toEqual({
      state: 'rate_limited',
      since: startTime,
      until: startTime + 10_000,
      detail: null,
    });
    await rig.pass(9900);
    expect(rig.states()).toEqual(['signed_in', 'rate_limited']);
    await rig.pass(100);
    expect(rig.account.standing().hops.puter).toMatchObject({ state: 'reachable', until: null });
  });

  it('is not over because Puter answers whoami, nor because another call was refused for something else', async () => {
    const rig = await startQuietly(true);
    rig.account.learn(refusal('too_many_requests'));
    await rig.pass(2000);
    expect(rig.asked).toHaveLength(2);
    rig.account.learn(refusal('bad_request'));
    expect(rig.states()).toEqual(['signed_in', 'rate_limited']);
  });

  it('begins anew with another refusal, and ends at once with a success', async () => {
    const rig = await startQuietly();
    rig.account.learn(refusal('too_many_requests'));
    await rig.pass(5000);
    rig.account.learn(refusal('too_many_requests'));
    expect(rig.account.standing().hops.puter).toMatchObject({ since: startTime, until: startTime + 15_000 });
    rig.account.learn(null);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    rig.account.check();
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });
});

describe('out of allowance', () => {
  it('holds until the month’s end in UTC, and ends with it', async () => {
    const rig = await startQuietly();
    rig.account.learn(refusal('insufficient_funds'));
    const until = Date.UTC(2026, 11);
    expect(rig.account.standing().hops.puter).toEqual({
      state: 'out_of_allowance',
      since: startTime,
      until,
      detail: null,
    });
    await rig.pass(until - Date.now() - 100);
    expect(rig.states()).toEqual(['signed_in', 'out_of_allowance']);
    await rig.pass(100);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it('is asked about every second while somebody looks, and ends once more is left', async () => {
    const rig = await startQuietly(true);
    rig.allowance.remaining = 1000;
    rig.account.learn(refusal('insufficient_funds'));
    await rig.quiet();
    const before = rig.asked.length;
    for (let turn = 0; turn < 3; turn += 1) await rig.pass(1000);
    expect(rig.asked.slice(before)).toEqual(Array.from({ length: 3 }, () => ['/whoami', '/metering/usage']).flat());
    expect(rig.states()).toEqual(['signed_in', 'out_of_allowance']);
    rig.allowance.remaining = 1001;
    await rig.pass(1000);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it.each([
    ['was never known', null],
    ['was known to be more', 20_000_000],
    ['was known to be less, before it grew', 10],
  ])('is not over because a little is left, where what is left %s', async (_, known) => {
    const rig = await startQuietly();
    if (known !== null) {
      rig.allowance.remaining = known;
      rig.account.look();
      await rig.quiet();
    }
    rig.allowance.remaining = 1000;
    rig.account.learn(refusal('insufficient_funds'));
    await rig.quiet();
    for (let turn = 0; turn < 2; turn += 1) await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'out_of_allowance']);
  });

  it('is no more over than the first time when it comes a second time', async () => {
    const rig = await startQuietly();
    for (const remaining of [1000, 2000]) {
      rig.allowance.remaining = remaining;
      rig.account.learn(refusal('insufficient_funds'));
      await rig.quiet();
      await rig.pass(2000);
      expect(rig.states()).toEqual(['signed_in', 'out_of_allowance']);
      rig.account.learn(null);
    }
  });

  it('ends with a success, and not with another refusal', async () => {
    const rig = await startQuietly();
    rig.account.learn(refusal('insufficient_funds'));
    for (const code of ['bad_request', 'too_many_requests', 'insufficient_funds']) {
      rig.account.learn(refusal(code));
      expect(rig.account.standing().hops.puter).toMatchObject({ state: 'out_of_allowance', since: startTime });
    }
    rig.account.learn(null);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it('still is what stands in the way after the network failed and came back', async () => {
    const rig = await startQuietly(true);
    rig.account.learn(refusal('insufficient_funds'));
    await rig.quiet();
    rig.trouble = 'outage';
    await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'unreachable']);
    rig.trouble = null;
    await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'out_of_allowance']);
    rig.allowance.remaining += 1000;
    await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it('is still told beside an expired session', async () => {
    const rig = await startQuietly();
    rig.account.learn(refusal('insufficient_funds'));
    rig.account.learn(expired);
    expect(rig.states()).toEqual(['expired', 'out_of_allowance']);
  });
});

const blocking = [
  ['email_confirmation_required', 'verification_required'],
  ['phone_verification_required', 'verification_required'],
  ['card_verification_required', 'verification_required'],
  ['account_is_not_verified', 'verification_required'],
  ['app_blocked', 'app_blocked'],
] as const;

describe.each(blocking)('a call refused with %s', (code, state) => {
  it(`makes it ${state}, in Puter’s words, and Puter reachable`, async () => {
    const rig = await startAccountRig();
    rig.account.learn(refusal(code, 'Do this first.'));
    expect(rig.states()).toEqual([state, 'reachable']);
    expect(rig.account.standing().hops.session.detail).toBe('Do this first.');
  });

  it('holds while whoami tells nothing else, and ends with a success', async () => {
    const rig = await startQuietly(true);
    rig.account.learn(refusal(code));
    for (let turn = 0; turn < 3; turn += 1) await rig.pass(2000);
    expect(rig.states()).toEqual([state, 'reachable']);
    rig.account.learn(null);
    expect(rig.account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: 'ada' });
    rig.user['username'] = 'grace';
    await rig.pass(2000);
    expect(rig.account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: 'grace' });
  });

  it('ends once whoami tells something else', async () => {
    const rig = await startQuietly(true);
    rig.account.learn(refusal(code));
    rig.user['requires_phone_verification'] = false;
    await rig.pass(2000);
    expect(rig.account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: 'ada' });
  });

  it('holds where it came before the first whoami, which is what it compares with', async () => {
    const rig = await startAccountRig({ isWatched: true });
    rig.account.learn(refusal(code));
    await rig.quiet();
    expect(rig.states()).toEqual([state, 'reachable']);
    rig.user['subscribed'] = true;
    await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it('is not about another name', async () => {
    const rig = await startQuietly(true);
    rig.account.learn(refusal(code));
    rig.user['username'] = 'grace';
    await rig.pass(2000);
    expect(rig.states()).toEqual([state, 'reachable']);
  });
});

it('any other refusal leaves the session as it is, and tells that Puter answers', async () => {
  const rig = await startAccountRig();
  for (const code of ['bad_request', 'forbidden', 'permission_denied', 'internal_error', 'toString', ''])
    rig.account.learn(refusal(code));
  expect(rig.states()).toEqual(['signed_in', 'reachable']);
});

it('Puter’s words are cut where they do not fit into a frame', async () => {
  const rig = await startAccountRig();
  rig.account.learn(refusal('app_blocked', 'x'.repeat(1000)));
  expect(rig.account.standing().hops.session.detail).toHaveLength(300);
});

describe('a verification that whoami tells of', () => {
  it.each([
    ['email', { requires_email_confirmation: true, email_confirmed: false }],
    ['email', { requires_email_confirmation: 1, email_confirmed: 0 }],
    ['phone', { requires_phone_verification: true }],
    ['card', { requires_card_verification: true }],
  ])('shows, and so does its end: %s in %j', async (what, flags) => {
    const rig = await startAccountRig({ isWatched: true });
    Object.assign(rig.user, flags);
    await rig.quiet();
    expect(rig.states()).toEqual(['verification_required', 'reachable']);
    expect(rig.account.standing().hops.session.detail).toContain(what);
    for (const flag of Object.keys(flags)) rig.user[flag] = flag === 'email_confirmed';
    await rig.pass(2000);
    expect(rig.account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: 'ada' });
  });

  it.each([
    { requires_email_confirmation: true, email_confirmed: true },
    { requires_email_confirmation: false, email_confirmed: false },
    { requires_phone_verification: null, requires_card_verification: 0 },
  ])('is none in %j', async (flags) => {
    const rig = await startAccountRig();
    Object.assign(rig.user, flags);
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });

  it('is over for now when a call succeeds', async () => {
    const rig = await startAccountRig();
    rig.user['requires_card_verification'] = true;
    await rig.quiet();
    rig.account.learn(null);
    expect(rig.account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: 'ada' });
  });

  it('is over once it was done, even where a call was refused before Puter told of it', async () => {
    const rig = await startQuietly(true);
    rig.user['requires_phone_verification'] = false;
    await rig.pass(2000);
    rig.account.learn(refusal('phone_verification_required'));
    rig.user['requires_phone_verification'] = true;
    await rig.pass(2000);
    expect(rig.states()).toEqual(['verification_required', 'reachable']);
    rig.user['requires_phone_verification'] = false;
    await rig.pass(2000);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
  });
});
