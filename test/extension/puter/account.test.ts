import { describe, expect, it, onTestFinished } from 'vitest';

import { startAccount, type Account } from '../../../extension/puter/account.ts';
import { startStandIn } from '../../puter/stand-in.ts';
import { expired, refusal, startAccountRig, startTime, unreached } from './account-rig.ts';

describe('with the stand-in of Puter', () => {
  /** Somebody looks all the time. `states` are those of Puter, one after the other. */
  async function start(latency = 0) {
    const puter = await startStandIn();
    onTestFinished(() => puter.close());
    puter.setLatency(latency);
    const session = { token: puter.mintToken(), apiOrigin: puter.apiOrigin };
    const states: string[] = [];
    const onChange = () => {
      const { state } = account.standing().hops.puter;
      if (state !== states.at(-1)) states.push(state);
    };
    const account: Account = startAccount({ session, isWatched: () => true, now: Date.now, onChange });
    onTestFinished(account.close);
    await expect.poll(() => account.standing().hops.puter.state, { timeout: 5000 }).toBe('reachable');
    return { puter, account, states };
  }

  /** Until the next question is answered. */
  async function answerOneMore({ puter, account }: Awaited<ReturnType<typeof start>>): Promise<void> {
    puter.setAccount({ subscribed: true });
    await expect.poll(() => account.standing().plan, { timeout: 10_000 }).toBe('paid');
  }

  it('an account has a name and a plan, and its allowance once somebody looks', async () => {
    const { puter, account } = await start();
    expect(account.standing().hops.session).toMatchObject({ state: 'signed_in', detail: puter.username });
    expect(account.standing().plan).toBe('free');
    expect(account.standing().allowance).toBeNull();
    account.look();
    await expect.poll(() => account.standing().allowance).toMatchObject({ total: 0.25, left: 0.25, unit: 'dollars' });
  });

  it('an outage shows, and its end', async () => {
    const { puter, account } = await start();
    puter.setOutage(true);
    account.check();
    await expect.poll(() => account.standing().hops.puter.state).toBe('unreachable');
    puter.setOutage(false);
    await expect.poll(() => account.standing().hops.puter.state, { timeout: 3000 }).toBe('reachable');
    expect(account.standing().hops.session.state).toBe('signed_in');
  });

  it('a slow line is no outage', async () => {
    const rig = await start(2300);
    await answerOneMore(rig);
    expect(rig.states).toEqual(['reachable']);
  });

  it('a line that becomes slow looks like an outage once, and no longer than an answer takes', async () => {
    const rig = await start();
    rig.puter.setLatency(2300);
    await expect.poll(() => rig.states, { timeout: 10_000 }).toEqual(['reachable', 'unreachable', 'reachable']);
    await answerOneMore(rig);
    expect(rig.states).toEqual(['reachable', 'unreachable', 'reachable']);
  });

  it('a session that Puter ended shows', async () => {
    const { puter, account } = await start();
    puter.expireSession();
    account.check();
    await expect.poll(() => account.standing().hops.session.state).toBe('expired');
    expect(account.standing().hops.puter.state).toBe('reachable');
  });
});

describe('an account', () => {
  it('is signed in at once and named once Puter answered, in the moment that it began', async () => {
    const rig = await startAccountRig();
    expect(rig.states()).toEqual(['signed_in', 'unknown']);
    expect(rig.account.standing().hops.session.detail).toBeNull();
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    expect(rig.account.standing().hops.session).toEqual({
      state: 'signed_in',
      since: startTime,
      until: null,
      detail: 'ada',
    });
  });

  it('without a session is signed out, and nobody is asked', async () => {
    const rig = await startAccountRig({ token: null });
    rig.account.check();
    rig.account.look();
    await rig.pass(120_000);
    expect(rig.states()).toEqual(['signed_out', 'unknown']);
    expect(rig.asked).toEqual([]);
  });

  it.each([
    ['temporary', { is_temp: true }],
    ['temporary', { is_temp: 1, subscribed: true }],
    ['free', { is_temp: false }],
    ['free', { is_temp: null, subscribed: 0 }],
    ['paid', { subscribed: true }],
  ])('is %s where Puter tells %j', async (plan, told) => {
    const rig = await startAccountRig();
    expect(rig.account.standing().plan).toBeNull();
    Object.assign(rig.user, told);
    await rig.quiet();
    expect(rig.account.standing().plan).toBe(plan);
  });

  it('tells of a new plan, which lets more calls run, though nothing else changed', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.changes.length = 0;
    rig.user['subscribed'] = true;
    await rig.pass(60_000);
    expect(rig.account.standing().plan).toBe('paid');
    expect(rig.changes).toHaveLength(1);
  });

  it('has a name of at most 100 characters', async () => {
    const rig = await startAccountRig();
    rig.user['username'] = 'a'.repeat(500);
    await rig.quiet();
    expect(rig.account.standing().hops.session.detail).toBe('a'.repeat(100));
  });

  it('tells only of changes', async () => {
    const rig = await startAccountRig({ isWatched: true });
    await rig.quiet();
    rig.account.look();
    await rig.quiet();
    rig.changes.length = 0;
    for (let turn = 0; turn < 3; turn += 1) await rig.pass(2000);
    rig.account.look();
    rig.account.learn(null);
    rig.account.learn(refusal('bad_request'));
    await rig.quiet();
    expect(rig.asked.length).toBeGreaterThan(5);
    expect(rig.changes).toEqual([]);
  });

  it('tells of an allowance that changed', async () => {
    const rig = await startAccountRig({ isWatched: true });
    rig.account.look();
    await rig.quiet();
    rig.changes.length = 0;
    rig.allowance.remaining = 10_000_000;
    rig.account.learn(null);
    await rig.quiet();
    expect(rig.account.standing().allowance?.left).toBe(0.1);
    expect(rig.changes).toHaveLength(1);
  });

  it('keeps the allowance that it knows where Puter does not tell', async () => {
    const rig = await startAccountRig();
    rig.account.look();
    await rig.quiet();
    rig.trouble = { status: 404, body: '{}' };
    rig.account.look();
    await rig.quiet();
    expect(rig.account.standing().allowance?.left).toBe(0.2);
  });

  it('asks how much is left after an answer only while somebody looks', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.account.learn(null);
    await rig.quiet();
    expect(rig.asked).toEqual(['/whoami']);
    rig.isWatched = true;
    rig.account.learn(null);
    await rig.quiet();
    expect(rig.asked).toEqual(['/whoami', '/metering/usage']);
  });
});

describe('Puter is asked', () => {
  it('twice a minute while all is well and nobody looks', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    await rig.pass(29_900);
    expect(rig.asked).toHaveLength(1);
    await rig.pass(100);
    expect(rig.asked).toHaveLength(2);
    await rig.pass(30_000);
    expect(rig.asked).toHaveLength(3);
  });

  it('every second while somebody looks', async () => {
    const rig = await startAccountRig({ isWatched: true });
    await rig.quiet();
    await rig.pass(900);
    expect(rig.asked).toHaveLength(1);
    await rig.pass(100);
    expect(rig.asked).toHaveLength(2);
    await rig.pass(1000);
    expect(rig.asked).toHaveLength(3);
  });

  it('at once when somebody begins to look, and every second from then on', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.isWatched = true;
    rig.account.look();
    expect(rig.asked).toEqual(['/whoami', '/whoami', '/metering/usage']);
    await rig.quiet();
    await rig.pass(1000);
    expect(rig.asked).toHaveLength(4);
  });

  it('every two and a half seconds while it cannot be reached, until it can', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.trouble = 'outage';
    await rig.pass(30_000);
    expect(rig.account.standing().hops.puter).toMatchObject({ state: 'unreachable', since: startTime + 30_000 });
    await rig.pass(2500);
    await rig.pass(2500);
    expect(rig.asked).toHaveLength(4);
    rig.trouble = null;
    await rig.pass(2500);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    await rig.pass(29_000);
    expect(rig.asked).toHaveLength(5);
  });

  it('one question at a time: the newest, which need not wait for one that hangs', async () => {
    const rig = await startAccountRig({ isWatched: true });
    await rig.quiet();
    rig.trouble = 'silence';
    rig.account.check();
    rig.trouble = null;
    rig.user['username'] = 'grace';
    rig.account.check();
    await rig.quiet();
    expect(rig.asked).toHaveLength(3);
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    expect(rig.account.standing().hops.session.detail).toBe('grace');
  });

  it('once a call could not reach it, and is said to be gone only by itself', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.account.learn(unreached);
    expect(rig.asked).toHaveLength(2);
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    rig.trouble = 'outage';
    rig.account.learn(unreached);
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'unreachable']);
  });

  it('not for a failure of the extension, which says nothing about it', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.changes.length = 0;
    rig.account.learn({ code: 'extension_failed', message: 'm' });
    expect(rig.asked).toHaveLength(1);
    expect(rig.changes).toEqual([]);
  });
});

describe('what answers in Puter’s place', () => {
  it.each([
    ['the error page of a proxy', 502, '<html>Bad gateway</html>'],
    ['an error in JSON', 503, '{"error":"down"}'],
    ['the sign-in page of a network', 200, '<html>Welcome to the hotel</html>'],
    ['nothing in particular', 200, ''],
    ['JSON that is no object', 200, '"hello"'],
  ])('is not Puter: %s', async (_, status, body) => {
    const rig = await startAccountRig();
    rig.trouble = { status, body };
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'unreachable']);
  });

  it.each([
    ['a refusal', 429, '{"code":"too_many_requests","message":"Too many requests."}'],
    ['a user of another form', 200, '{"name":"ada"}'],
  ])('is Puter, though it tells no name: %s', async (_, status, body) => {
    const rig = await startAccountRig();
    rig.trouble = { status, body };
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'reachable']);
    expect(rig.account.standing().hops.session.detail).toBeNull();
  });
});

describe('a session that ended', () => {
  it.each([
    ['because Puter said so when asked', { token: 'bad' }, null],
    ['because a call was told so', { token: 'good' }, expired],
  ])('is asked for never again: %s', async (_, options, failure) => {
    const rig = await startAccountRig({ ...options, isWatched: true });
    await rig.quiet();
    if (failure) rig.account.learn(failure);
    expect(rig.states()).toEqual(['expired', 'reachable']);
    expect(rig.account.standing().hops.session.detail).toBeNull();
    const before = rig.asked.length;
    rig.account.check();
    rig.account.look();
    await rig.pass(120_000);
    expect(rig.asked).toHaveLength(before);
  });

  it('does not come back with an answer that was under way', async () => {
    const rig = await startAccountRig();
    await rig.quiet();
    rig.account.learn(expired);
    rig.account.learn(null);
    rig.account.learn(refusal('app_blocked'));
    expect(rig.states()).toEqual(['expired', 'reachable']);
  });

  it.each([
    ['the answer to', null],
    ['a failure of', 'outage'],
  ] as const)('does not change with %s a question that was under way', async (_, trouble) => {
    const rig = await startAccountRig();
    rig.trouble = trouble;
    rig.account.learn(expired);
    const learnt = rig.account.standing().hops;
    await rig.quiet();
    expect(rig.account.standing().hops).toBe(learnt);
  });
});

describe('after it was closed', () => {
  it('nothing is learnt, asked or told any more', async () => {
    const rig = await startAccountRig({ isWatched: true });
    await rig.quiet();
    const state = rig.account.standing().hops;
    rig.changes.length = 0;
    rig.account.close();
    for (const failure of [null, expired, unreached, refusal('insufficient_funds')]) rig.account.learn(failure);
    rig.account.check();
    rig.account.look();
    await rig.pass(120_000);
    expect(rig.asked).toHaveLength(1);
    expect(rig.changes).toEqual([]);
    expect(rig.account.standing().hops).toBe(state);
  });

  it('the answer to a question that was open is not taken in', async () => {
    const rig = await startAccountRig();
    rig.account.look();
    rig.account.close();
    await rig.quiet();
    expect(rig.states()).toEqual(['signed_in', 'unknown']);
    expect([rig.account.standing().plan, rig.account.standing().allowance, rig.changes]).toEqual([null, null, []]);
  });
});
